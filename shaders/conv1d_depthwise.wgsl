// A convolution of each channel with taps of its own: y[b, t, c] = bias[c] + Σ_j w[c, j] x[b, STRIDE·t − SHIFT + j, c].
// x [batch, L, D], y and dy [batch, LINES, D], weight [c, TAPS]; beyond its ends x is 0. FLIP takes the taps backwards, which
// makes it the gradient of the input where STRIDE is 1.
// WEIGHTS: partial[span, j, c] = Σ dy x over the span's steps instead, for channel_sums.wgsl.
// A thread owns one channel (four with TYPE vec4f) and SPAN steps and keeps the window in registers; neighbours own
// neighbouring channels. Bytes 8 an element. FLOPs 2·TAPS an element.
#if !WEIGHTS
fn tap(c: u32, j: u32) -> $TYPE {
#if VECTOR
  let i = c * ${4 * TAPS} + j;
  return vec4f(read_weight(i), read_weight(i + $TAPS), read_weight(i + ${2 * TAPS}), read_weight(i + ${3 * TAPS}));
#else
  return read_weight(c * $TAPS + j);
#end
}
#end

// Before the first step `at` wraps around.
fn sample(start: u32, at: u32) -> $TYPE { return select($TYPE(), read_x(start + at * $D), at < $L); }

#main thread i
  let c = i % $D;
  let span = i / $D % $SPANS;
  let b = i / ${D * SPANS};
  let start = b * ${L * D} + c;
  let t0 = span * $SPAN;
#if SHIFT < 0
  var at = t0 * $STRIDE + ${-SHIFT};
#else
  var at = t0 * $STRIDE - ${SHIFT};
#end
#for j in 0..TAPS
  var x_$j = $TYPE();
#if WEIGHTS
  var dw_$j = $TYPE();
#else
#if FLIP
  let w_$j = tap(c, ${TAPS - 1 - j}u);
#else
  let w_$j = tap(c, ${j}u);
#end
#end
#end
#if BIAS
  let bias_c = read_bias(c);
#else
  let bias_c = $TYPE();
#end
#for j in STRIDE..TAPS
  x_$j = sample(start, at + ${j}u - $STRIDE);
#end
  for (var t = t0; t < min(t0 + $SPAN, ${LINES}u); t++) {
#for j in 0..TAPS
#if j + STRIDE < TAPS
    x_$j = x_${j + STRIDE};
#else
    x_$j = sample(start, at + $j);
#end
#end
#if WEIGHTS
    let q = read_dy((b * $LINES + t) * $D + c);
#for j in 0..TAPS
    dw_$j = fma(q, x_$j, dw_$j);
#end
#else
    var sum = bias_c;
#for j in 0..TAPS
    sum = fma(w_$j, x_$j, sum);
#end
    write_y((b * $LINES + t) * $D + c, sum);
#end
    at += $STRIDE;
  }
#if WEIGHTS
#for j in 0..TAPS
  write_partial((i / $D * $TAPS + $j) * $D + c, dw_$j);
#end
#end
#end
