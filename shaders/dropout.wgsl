// y[i] = x[i] / (1 − rate) where bits[i] ≥ THRESHOLD = rate · 2³², else 0 (Hinton et al. 2012; inverted, as in PyTorch).
// The bits of four neighbouring elements are one hash of counters, so nothing is stored: the gradient and a recomputation
// draw the same mask. A thread owns PER groups of four. Bytes: both tensors once. About 16 operations an element.
// BY_CHANNEL: x is [b, l, c] and element (b, c) of a mask [b, c] holds for all of time (Dropout1d).

// pcg4d, of Jarzynski & Olano 2020, "Hash Functions for GPU Rendering" (Journal of Computer Graphics Techniques 9.3).
// Applied once it hardly mixes the highest bits of its input: seeds that differ in bit 31 alone gave masks with a
// correlation of 0.24. The hash of a hash shows none.
fn pcg4d(key: vec4u) -> vec4u {
  var v = key * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

#main items first..last
  let key = pcg4d(vec4u(step.seed, step.step, $STREAM, 0));
  for (var group = first; group < last; group += $WORKGROUP) {
#if VECTOR
#if BY_CHANNEL
    let drawn = group / ${LENGTH * CHANNELS / 4} * ${CHANNELS / 4} + group % ${CHANNELS / 4};
#else
    let drawn = group;
#end
    let kept = pcg4d(key + vec4u(drawn, 0, 0, 0)) >= vec4u(${THRESHOLD}u);
    write_y(group, select(vec4f(0.0), read_x(group) * $SCALE, kept));
#else
#if !BY_CHANNEL
    let bits = pcg4d(key + vec4u(group, 0, 0, 0));
#end
#for j in 0..4
    let i_$j = 4 * group + $j;
    if (i_$j < $COUNT) {
#if BY_CHANNEL
      let drawn = i_$j / ${LENGTH * CHANNELS} * $CHANNELS + i_$j % $CHANNELS;
      let word = pcg4d(key + vec4u(drawn / 4, 0, 0, 0))[drawn % 4];
#else
      let word = bits[$j];
#end
      write_y(i_$j, select(0.0, read_x(i_$j) * $SCALE, word >= ${THRESHOLD}u));
    }
#end
#end
  }
#end
