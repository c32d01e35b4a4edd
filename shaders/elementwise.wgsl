// Ops on each element alone: y[i] = formula(x0[i], …). A thread handles PER times one f32, or one vec4f
// where 4 divides the size, WORKGROUP apart.
// Bytes: each tensor once. Bound by memory bandwidth everywhere.

// sigmoid and softplus stand in activation.wgsl. An exp here is clamped, for the reason given there.

fn add(a: $TYPE, b: $TYPE) -> $TYPE { return a + b; }
fn copy(x: $TYPE) -> $TYPE { return x; }
fn multiply(a: $TYPE, b: $TYPE) -> $TYPE { return a * b; }

// Not max: what is not a number stays visible.
fn relu(x: $TYPE) -> $TYPE { return select(x, $TYPE(), x < $TYPE()); }
fn relu_backward(y: $TYPE, dy: $TYPE) -> $TYPE { return select(dy, $TYPE(), y <= $TYPE()); }

fn sigmoid_backward(y: $TYPE, dy: $TYPE) -> $TYPE { return dy * y * (1.0 - y); }
fn silu(x: $TYPE) -> $TYPE { return x * sigmoid(x); }
fn silu_backward(x: $TYPE, dy: $TYPE) -> $TYPE { let s = sigmoid(x); return dy * s * (1.0 + x * (1.0 - s)); }

fn silu_gate(x: $TYPE, z: $TYPE) -> $TYPE { return x * silu(z); }
fn silu_gate_backward(x: $TYPE, z: $TYPE, dy: $TYPE) -> $TYPE { return silu_backward(z, dy * x); }

fn softplus_backward(x: $TYPE, dy: $TYPE) -> $TYPE { return dy * sigmoid(x); }

fn negative_exp(x: $TYPE) -> $TYPE { return -exp(min(x, $TYPE($MAX_EXPONENT))); }

@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = linear_workgroup(id, count) * ${WORKGROUP * PER} + lane;
  for (var i = first; i < min(first + ${WORKGROUP * PER}, ${THREADS}u); i += $WORKGROUP) {
#if INPUTS == 1
    y[i] = $FORMULA(x0[i]);
#else
#if INPUTS == 2
    y[i] = $FORMULA(x0[i], x1[i]);
#else
    y[i] = $FORMULA(x0[i], x1[i], x2[i]);
#end
#end
  }
}
