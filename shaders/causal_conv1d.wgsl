// Depthwise convolution over time that sees no future, with bias and activation, channels last:
// p[b, t, c] = bias[c] + Σ_j weight[c, j] x[b, t − (TAPS − 1) + j, c], y = act(p); x before time 0 is 0.
// BACKWARD: q = dy act'(p) with p computed again; dx[b, s, c] = Σ_j weight[c, j] q[b, s + (TAPS − 1) − j, c];
// partial[b, span] = (Σ_t q_t x_{t−(TAPS−1)+j} for each j, Σ_t q_t) over the steps of a span, for channel_sums.wgsl.
// x, y, dy, dx [b, l, d]; weight [d, TAPS].
// A thread owns a batch element, one channel (or four: VECTOR) and SPAN steps. It walks them with the last TAPS inputs,
// and the TAPS unfinished values of dx, in registers; neighbours own neighbouring channels.
// REVERSE, in HALF for the second half of the channels, runs from the last step to the first, by index: t counts in the order of
// the walk.
// Bytes 8 an element forward, 12 backward, each times 1 + (TAPS − 1)/SPAN of reading. FLOPs 2·TAPS an element forward,
// 6·TAPS backward, plus the activation.

#if SILU
fn sigmoid(p: $TYPE) -> $TYPE { return 1.0 / (1.0 + exp(min(-p, $TYPE($MAX_EXPONENT)))); }
fn activate(p: $TYPE) -> $TYPE { return p * sigmoid(p); }
fn slope(p: $TYPE) -> $TYPE { let s = sigmoid(p); return s * (1.0 + p * (1.0 - s)); }
#else
fn activate(p: $TYPE) -> $TYPE { return p; }
fn slope(p: $TYPE) -> $TYPE { return $TYPE(1.0); }
#end

fn tap(c: u32, j: u32) -> $TYPE {
#if VECTOR
  let i = c * ${4 * TAPS} + j;
  return vec4f(read_weight(i), read_weight(i + $TAPS), read_weight(i + ${2 * TAPS}), read_weight(i + ${3 * TAPS}));
#else
  return read_weight(c * $TAPS + j);
#end
}

fn row(t: u32, c: u32) -> u32 {
#if HALF
  return select(t, ${L - 1}u - t, c >= ${D / 2}) * $D;
#end
#if REVERSE
  return (${L - 1}u - t) * $D;
#end
#if !REVERSE && !HALF
  return t * $D;
#end
}

#main thread i
  let c = i % $D;
  let span = i / $D % $SPANS;
  let start = i / ${D * SPANS} * ${L * D} + c;
  let t0 = span * $SPAN;
  let t1 = min(t0 + $SPAN, ${L}u);
  let bias_c = read_bias(c);
#for j in 0..TAPS
  let w_$j = tap(c, ${j}u);
#end
#for j in 1..TAPS
  var x_$j = $TYPE();
  if (t0 >= ${TAPS - j}u) { x_$j = read_x(start + row(t0 - ${TAPS - j}u, c)); }
#end
  var x_0 = $TYPE();
#if BACKWARD
  var dbias = $TYPE();
#for j in 0..TAPS
  var dw_$j = $TYPE();
  var dx_$j = $TYPE();
#end
#end
  // The steps from t1 on complete the last values of dx.
  for (var t = t0; t < t1 + ${DX * (TAPS - 1)}u; t++) {
    let at = start + row(min(t, ${L - 1}u), c);
#for j in 1..TAPS
    x_${j - 1} = x_$j;
#end
    x_${TAPS - 1} = read_x(at);
    var p = bias_c;
#for j in 0..TAPS
    p = fma(w_$j, x_$j, p);
#end
#if BACKWARD
    let q = select($TYPE(), read_dy(at) * slope(p), t < $L);
#if WEIGHTS
    let own = select($TYPE(), q, t < t1);
    dbias += own;
#for j in 0..TAPS
    dw_$j = fma(own, x_$j, dw_$j);
#end
#end
#if DX
    // dx_j is what is known of dx at step t − (TAPS − 1) + j.
#for j in 0..TAPS
    dx_$j = fma(w_$j, q, dx_$j);
#end
    if (t >= t0 + ${TAPS - 1}) { write_dx(start + row(t - ${TAPS - 1}, c), dx_0); }
#for j in 1..TAPS
    dx_${j - 1} = dx_$j;
#end
    dx_${TAPS - 1} = $TYPE();
#end
#else
    write_y(at, activate(p));
#end
  }
#if WEIGHTS
  let row = i / $D * ${D * (TAPS + 1)} + c;
#for j in 0..TAPS
  write_partial(row + ${j * D}, dw_$j);
#end
  write_partial(row + ${TAPS * D}, dbias);
#end
#end
