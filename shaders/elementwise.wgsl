// Ops on each element alone: result[i] = formula(input[i], …); src/engine/ops/elementwise.ts has the formula from the op. A
// thread handles PER times one f32, or one vec4f where 4 divides the size, WORKGROUP apart.
// Bytes: each tensor once. Bound by memory bandwidth everywhere.
alias T = $TYPE;

fn formula($PARAMETERS) -> T { $FORMULA }

@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linear_workgroup(id, count) * ${WORKGROUP * PER} + lane;
  for (var i = first; i < min(first + ${WORKGROUP * PER}, ${THREADS}u); i += $WORKGROUP) {
    $RESULT[i] = formula($ARGUMENTS);
  }
}
