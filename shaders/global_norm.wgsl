// norm = √Σ gradient[i]², times `factor` where FACTOR, in two stages of fixed order.
// PARTIAL: THREADS threads add the squares of every THREADS-th vec4f, so neighbours read neighbouring addresses.
// Otherwise: one workgroup adds the partial sums the same way, and its first lane the lanes' sums: one barrier in all.
// Bytes 4·n + 8·THREADS; FLOPs 2·n.
const LANES = 256u;

#if PARTIAL
@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = linear_workgroup(id, count) * $WORKGROUP + lane;
  if (thread >= $THREADS) { return; }
  var sum = vec4f(0.0);
  for (var i = thread; i < $VECTORS; i += $THREADS) { sum += gradient[i] * gradient[i]; }
  partial[thread] = (sum.x + sum.y) + (sum.z + sum.w);
}
#else
var<workgroup> sums: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < $THREADS; i += LANES) { sum += partial[i]; }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane > 0) { return; }
  for (var i = 1u; i < LANES; i++) { sum += sums[i]; }
#if FACTOR
  norm[0] = sqrt(sum) * factor[0];
#else
  norm[0] = sqrt(sum);
#end
}
#end
