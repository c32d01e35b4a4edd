#!/bin/bash
# Puts what `npm run bench:static` needs into $GPU_STATIC (~/.cache/gpu-static where unset): Mesa's Vulkan drivers, a Vulkan
# loader, and layer.c, compiled. With --intel also Mesa's drm-shim, which is built from source in a few minutes.
# For Debian 12 on x86-64, as root: a compiler and shared libraries are installed as packages; Mesa (of the backports suite) and
# the loader are unpacked into the folder only, so that no other program finds a driver that it did not find before.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
to=${GPU_STATIC:-$HOME/.cache/gpu-static}
fail() { echo "install.sh: $*" >&2; exit 1; }
. /etc/os-release
[ "${ID:-} ${VERSION_ID:-}" = "debian 12" ] || fail "this is ${PRETTY_NAME:-an unknown system}; use Debian 12, in a container for example."
[ "$(id -u)" = 0 ] || fail "run it as root: it installs packages."
mkdir -p "$to"/{apt/lists/partial,apt/archives/partial,layer,packages}
log=$to/install.log
exec 3>&1 > "$log" 2>&1
trap '[ $? = 0 ] || { tail -n 12 "$log"; echo "install.sh: stopped; see $log"; } >&3; rm -rf "$to/apt" "$to/mesa"' EXIT
say() { echo "install.sh: $*" >&3; }
root=$to/packages lib=$to/packages/usr/lib/x86_64-linux-gnu

# An apt of its own that knows the backports suite, from the mirror of the system's sources.
apt-get update
read -r mirror source < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SOURCESENTRY)' 'Created-By: Packages' |
  awk '($2 == "bookworm" || $2 == "oldstable") && $3 == "main" { print $1, $4; exit }') || true
[ -n "${mirror:-}" ] || fail "the system's apt sources have no suite bookworm."
key=$(grep -hioE 'signed-by[:=] *[^] ,]+' "${source%:*}" | grep -oE '/.*' | head -n 1 || true)
for kind in deb deb-src; do echo "$kind ${key:+[signed-by=$key] }$mirror bookworm-backports main"; done > "$to/apt/sources.list"
own=(-o Dir::Etc::SourceList="$to/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$to/apt/lists"
  -o Dir::Cache="$to/apt" -o APT::Sandbox::User=root)
apt-get "${own[@]}" update

# unpack PACKAGE…: into $root; with `backports` first, from there.
unpack() {
  local options=(-o APT::Sandbox::User=root)
  if [ "$1" = backports ]; then options=("${own[@]}"); shift; fi
  (cd "$to/apt" && rm -f ./*.deb && apt-get "${options[@]}" download "$@" && for deb in *.deb; do dpkg-deb -x "$deb" "$root"; done)
}
packages() { DEBIAN_FRONTEND=noninteractive apt-get "$1" -y --no-install-recommends "${@:2}"; }

say "Mesa's drivers and the loader"
packages install gcc libc6-dev
unpack backports mesa-vulkan-drivers libdrm2 libdrm-amdgpu1
packages satisfy "$(dpkg-deb -f "$to"/apt/mesa-vulkan-drivers_*.deb Depends | sed -E 's/(libvulkan1|libdrm[a-z0-9-]*)( \([^)]*\))?,? ?//g')"
unpack libvulkan1 libvulkan-dev
for driver in radeon intel; do
  sed "s#\"library_path\": \".*/#\"library_path\": \"$lib/#" "$root"/usr/share/vulkan/icd.d/${driver}_icd.*json > "$to/$driver.json"
done
gcc -std=gnu11 -O1 -D_GNU_SOURCE -fvisibility=hidden -shared -fPIC -I"$root/usr/include" -o "$to/layer/layer.so" "$here/layer.c"
cat > "$to/layer/layer.json" <<'JSON'
{"file_format_version": "1.1.2", "layer": {"name": "VK_LAYER_STATIC_compile", "type": "GLOBAL", "library_path": "./layer.so",
 "api_version": "1.3.239", "implementation_version": "1", "description": "Compiles without a GPU and writes statistics down",
 "functions": {"vkGetInstanceProcAddr": "layer_instance_function", "vkGetDeviceProcAddr": "layer_device_function"}}}
JSON

if [ "${1:-}" = --intel ] && [ ! -e "$to/shim.so" ]; then
  say "Mesa's drm-shim for Intel, from source"
  packages install g++ ninja-build pkg-config python3 python3-mako python3-yaml python3-packaging bison flex xz-utils \
    libexpat1-dev zlib1g-dev libelf-dev
  unpack backports meson libdrm2 libdrm-dev libdrm-amdgpu1 libdrm-intel1 libdrm-radeon1 libdrm-nouveau2
  sed -i "s#^prefix=.*#prefix=$root/usr#" "$lib"/pkgconfig/libdrm*.pc
  mkdir -p "$to/mesa/source"
  (cd "$to/mesa" && apt-get "${own[@]}" source --download-only --tar-only mesa/bookworm-backports)
  tar xf "$to"/mesa/mesa_*.orig.tar.xz -C "$to/mesa/source" --strip-components=1
  export PATH=/usr/bin:/bin:$PATH PYTHONPATH=$root/usr/lib/python3/dist-packages PKG_CONFIG_PATH=$lib/pkgconfig
  /usr/bin/python3 "$root/usr/bin/meson" setup "$to/mesa/build" "$to/mesa/source" -Dtools=drm-shim,intel -Dvulkan-drivers= \
    -Dgallium-drivers= -Dplatforms= -Dglx=disabled -Degl=disabled -Dgbm=disabled -Dopengl=false -Dgles1=disabled \
    -Dgles2=disabled -Dllvm=disabled -Dvideo-codecs= -Dzstd=disabled -Dvalgrind=disabled -Dlibunwind=disabled
  ninja -C "$to/mesa/build" src/intel/tools/libintel_noop_drm_shim.so
  cp "$to/mesa/build/src/intel/tools/libintel_noop_drm_shim.so" "$to/shim.so"
fi
say "done: $to"
