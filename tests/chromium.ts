import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { linuxHasGpu } from '../src/cli/node_gpu';

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'google-chrome-beta',
  'microsoft-edge',
  'microsoft-edge-stable',
];

const MAC_APPS = ['Chromium', 'Google Chrome', 'Google Chrome Beta', 'Microsoft Edge'];

const WINDOWS_PROGRAMS = [
  'Google\\Chrome\\Application\\chrome.exe',
  'Chromium\\Application\\chrome.exe',
  'Microsoft\\Edge\\Application\\msedge.exe',
];

const HOW_TO_GET_ONE =
  'No Chromium was found: install Chromium, Chrome or Edge (on Debian: apt-get install chromium), ' +
  'or set CHROMIUM to the path of its program.';

/** Path of a Chromium, Chrome or Edge program on this machine; CHROMIUM in the environment goes first. */
export function findChromium(): string | undefined {
  const chosen = process.env['CHROMIUM'];
  if (chosen) {
    if (!isProgram(chosen)) throw new Error(`CHROMIUM is "${chosen}", which is not a program.`);
    return chosen;
  }
  return candidates().find(isProgram);
}

function candidates(): string[] {
  if (process.platform === 'win32') {
    const roots = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].map((name) => process.env[name]);
    return roots.flatMap((root) => (root ? WINDOWS_PROGRAMS.map((program) => join(root, program)) : []));
  }
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)));
  if (process.platform !== 'darwin') return [...onPath, ...NAMES.map((name) => join('/usr/bin', name))];
  const homes = ['/Applications', join(process.env['HOME'] ?? '', 'Applications')];
  const apps = homes.flatMap((home) => MAC_APPS.map((app) => join(home, `${app}.app/Contents/MacOS/${app}`)));
  return [...apps, ...onPath];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts a headless Chromium whose WebGPU works, on the GPU or on SwiftShader where there is none, or one without WebGPU. */
export async function launchChromium({ webgpu = true } = {}): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(HOW_TO_GET_ONE);
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath,
    headless: true,
    // Playwright's, whatever draws.
    ignoreDefaultArgs: ['--enable-gpu-rasterization'],
    args: [
      ...(webgpu ? webgpuFlags() : ['--disable-gpu']),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Switches with which a headless Chromium has WebGPU. */
export function webgpuFlags(): string[] {
  const always = '--enable-unsafe-webgpu';
  if (process.platform !== 'linux') return [always];
  if (linuxHasGpu()) return [always, '--enable-features=Vulkan'];
  // SwiftShader would draw the pages too, for more than the processor itself needs for that.
  return [
    always,
    '--use-webgpu-adapter=swiftshader',
    '--disable-gpu-rasterization',
    '--disable-gpu-compositing',
  ];
}

/**
 * Command `chromium [--install]`: prints the path of the browser that tests drive.
 * With --install a missing one is installed by apt-get, on Debian and as root only.
 */
export async function main(args: string[]): Promise<number> {
  const install = args.includes('--install');
  if (install && findChromium() === undefined && isDebianRoot()) installOnDebian();
  const path = findChromium();
  if (path === undefined) {
    console.error(HOW_TO_GET_ONE);
    return 1;
  }
  console.log(path);
  return 0;
}

function isDebianRoot(): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/etc/os-release')) return false;
  return /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'));
}

function installOnDebian(): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]) {
    const { status } = spawnSync('apt-get', args, { stdio: 'inherit', env });
    if (status !== 0) throw new Error(`apt-get ${args.join(' ')} failed.`);
  }
}
