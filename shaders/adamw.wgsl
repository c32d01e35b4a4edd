// AdamW (Loshchilov & Hutter 2019) over whole packs, as torch.optim.AdamW computes it:
//   g = gradient · min(1, CLIP / (norm + 1e-6))      as torch.nn.utils.clip_grad_norm_; CLIP = 0 does not clip. Where FACTOR,
//                                                    the gradient is that times `factor`
//   w ← w − rate · DECAY · w                         for the first DECAYED vectors
//   m ← m + (1 − β1)(g − m);  v ← v + (1 − β2)(g² − v)
//   w ← w − rate · (m / c1) / (√(v / c2) + ε)        c1 = 1 − β1ᵗ, c2 = 1 − β2ᵗ, from the step's scalars
// A gradient whose norm is not finite changes nothing: the last good weights stay. (By its bits: compilers may take floats
// for finite.)
// A thread owns PER vectors, WORKGROUP apart. Bytes 4·7·n; FLOPs about 16·n.
@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  if ((bitcast<u32>(norm[0]) & 0x7f800000u) == 0x7f800000u) { return; }
#if CLIP > 0
  let clip = min(1.0, $CLIP / (norm[0] + 1e-6));
#end
  let rate = step.learning_rate / step.correction1;
  let scale = 1.0 / step.correction2;
  let kept = 1.0 - step.learning_rate * $DECAY;
  let first = linear_workgroup(id, count) * ${WORKGROUP * PER} + lane;
  for (var i = first; i < min(first + ${WORKGROUP * PER}, ${VECTORS}u); i += $WORKGROUP) {
#if FACTOR
    var g = gradient[i] * factor[0];
#else
    var g = gradient[i];
#end
#if CLIP > 0
    g *= clip;
#end
    let m_old = first_moment[i];
    let v_old = second_moment[i];
    let m = m_old + (1.0 - $BETA1) * (g - m_old);
    let v = v_old + (1.0 - $BETA2) * (g * g - v_old);
#if DECAYED > 0
    let w = value[i] * select(1.0, kept, i < $DECAYED);
#else
    let w = value[i];
#end
    value[i] = w - rate * m / (sqrt(v * scale) + $EPSILON);
    first_moment[i] = m;
    second_moment[i] = v;
  }
}
