// AdamW (Loshchilov & Hutter 2019) over whole packs, as torch.optim.AdamW computes it:
//   g = gradient · min(1, CLIP / (norm + 1e-6))      as torch.nn.utils.clip_grad_norm_; CLIP = 0 does not clip. Where FACTOR,
//                                                    the gradient is that times `factor`
//   w ← w − rate · DECAY · w                         for the first DECAYED vectors
//   m ← m + (1 − β1)(g − m);  v ← v + (1 − β2)(g² − v)
//   w ← w − rate · (m / c1) / (√(v / c2) + ε)        c1 = 1 − β1ᵗ, c2 = 1 − β2ᵗ, from the step's scalars
// A gradient whose norm is not finite changes nothing: the last good weights stay. (By its bits: compilers may take floats
// for finite.) Nor does any gradient where HALTS and `halted` is not 0.
// A thread owns PER vectors, WORKGROUP apart. Bytes 4·7·n; FLOPs about 16·n.
#main items first..last
  if ((bitcast<u32>(read_norm(0)) & 0x7f800000u) == 0x7f800000u) { return; }
#if HALTS
  if (read_halted(0) != 0) { return; }
#end
#if CLIP > 0
  let clip = min(1.0, $CLIP / (read_norm(0) + 1e-6));
#end
  let rate = step.learning_rate / step.correction1;
  let scale = 1.0 / step.correction2;
  let kept = 1.0 - step.learning_rate * $DECAY;
  for (var i = first; i < last; i += $WORKGROUP) {
#if FACTOR
    var g = read_gradient(i) * read_factor(0);
#else
    var g = read_gradient(i);
#end
#if CLIP > 0
    g *= clip;
#end
    let m_old = read_first_moment(i);
    let v_old = read_second_moment(i);
    let m = m_old + (1.0 - $BETA1) * (g - m_old);
    let v = v_old + (1.0 - $BETA2) * (g * g - v_old);
#if DECAYED > 0
    let w = read_value(i) * select(1.0, kept, i < $DECAYED);
#else
    let w = read_value(i);
#end
    write_value(i, w - rate * m / (sqrt(v * scale) + $EPSILON));
    write_first_moment(i, m);
    write_second_moment(i, v);
  }
#end
