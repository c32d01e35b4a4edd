// accumulated ← (accumulated, or 0 for the first micro-batch) + gradient · share, share = 1 / micro-batches.
// A thread owns four neighbouring values. Bytes 12 a value; FLOPs 2.
@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = linear_workgroup(id, count) * $WORKGROUP + lane;
  if (i >= $VECTORS) { return; }
  // Not a product with 0: what the last update left may not be finite.
  let before = select(accumulated[i], vec4f(), step.micro == 0);
  accumulated[i] = fma(gradient[i], vec4f(step.micro_share), before);
}
