// AdamW (Loshchilov & Hutter 2019) over whole packs, as torch.optim.AdamW computes it:
//   g = gradient · min(1, CLIP / (norm + 1e-6))      as torch.nn.utils.clip_grad_norm_; CLIP = 0 does not clip
//   w ← w − rate · DECAY · w                         for the first DECAYED vectors
//   m ← m + (1 − β1)(g − m);  v ← v + (1 − β2)(g² − v)
//   w ← w − rate · (m / c1) / (√(v / c2) + ε)        c1 = 1 − β1ᵗ, c2 = 1 − β2ᵗ, from the step's scalars
// A gradient whose norm is not finite changes nothing: the last good weights stay. (By its bits: compilers may take floats
// for finite.)
// A thread owns four neighbouring values. Bytes 4·7·n; FLOPs about 16·n.
@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = linear_workgroup(id, count) * $WORKGROUP + lane;
  if (i >= $VECTORS || (bitcast<u32>(norm[0]) & 0x7f800000u) == 0x7f800000u) { return; }
#if CLIP > 0
  let g = gradient[i] * min(1.0, $CLIP / (norm[0] + 1e-6));
#else
  let g = gradient[i];
#end
  var w = value[i];
#if DECAYED > 0
  if (i < $DECAYED) { w -= step.learning_rate * $DECAY * w; }
#end
  let m = first_moment[i] + (1.0 - $BETA1) * (g - first_moment[i]);
  let v = second_moment[i] + (1.0 - $BETA2) * (g * g - second_moment[i]);
  value[i] = w - step.learning_rate * (m / step.correction1) / (sqrt(v / step.correction2) + $EPSILON);
  first_moment[i] = m;
  second_moment[i] = v;
}
