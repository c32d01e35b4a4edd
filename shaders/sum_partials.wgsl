// y[i] = Σ_s partial[s, i] (+ bias[i mod BIAS_LENGTH]), s ascending: the second stage of every two-stage sum.
// A thread owns one i. Bytes 4·(SPLIT + 1)·COUNT.
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = linear_workgroup(id, count) * 64 + lane;
  if (i >= $COUNT) { return; }
  var sum = 0.0;
  for (var s = 0u; s < $SPLIT; s++) { sum += partial[s * $COUNT + i]; }
#if BIAS
  sum += bias[i % $BIAS_LENGTH];
#end
  y[i] = sum;
}
