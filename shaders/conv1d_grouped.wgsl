// Convolutions of groups of channels, and their gradients, straight from the definition: output o of group g = o / OUT sees
// the IN channels g·IN …. x [batch, L, GROUPS·IN], y and dy [batch, LINES, GROUPS·OUT], weight [o, IN, KERNEL].
// FORM 0: y, a thread an element. FORM 1: dx (+ bias, as the transposed convolution of dy), a thread an element.
// FORM 2: partial[span] of dweight over the SPAN rows of a span, a thread a weight and span.
#main thread i
  var sum = 0.0;
#if FORM == 0
  let o = i % ${GROUPS * OUT};
  let row = i / ${GROUPS * OUT};
  let first = o / $OUT * $IN;
  for (var j = 0u; j < $KERNEL; j++) {
    let at = row % $LINES * $STRIDE + j - $PADDING;
    if (at >= $L) { continue; }
    let start = (row / $LINES * $L + at) * ${GROUPS * IN} + first;
    for (var c = 0u; c < $IN; c++) { sum = fma(read_x(start + c), read_weight((o * $IN + c) * $KERNEL + j), sum); }
  }
#end
#if FORM == 1
  let c = i % ${GROUPS * IN};
  let row = i / ${GROUPS * IN};
  let first = c / $IN * $OUT;
  for (var j = 0u; j < $KERNEL; j++) {
    let at = row % $L + $PADDING - j;
    if (at % $STRIDE != 0 || at / $STRIDE >= $LINES || j > row % $L + $PADDING) { continue; }
    let start = (row / $L * $LINES + at / $STRIDE) * ${GROUPS * OUT} + first;
    for (var o = 0u; o < $OUT; o++) {
      sum = fma(read_dy(start + o), read_weight(((first + o) * $IN + c % $IN) * $KERNEL + j), sum);
    }
  }
#end
#if FORM == 2
  let j = i % $KERNEL;
  let c = i / $KERNEL % $IN;
  let o = i / ${KERNEL * IN} % ${GROUPS * OUT};
  let span = i / ${KERNEL * IN * GROUPS * OUT};
  let channel = o / $OUT * $IN + c;
  for (var row = span * $SPAN; row < min(span * $SPAN + $SPAN, ${ROWS}u); row++) {
    let at = row % $LINES * $STRIDE + j - $PADDING;
    if (at >= $L) { continue; }
    let value = read_x((row / $LINES * $L + at) * ${GROUPS * IN} + channel);
    sum = fma(value, read_dy(row * ${GROUPS * OUT} + o), sum);
  }
#end
#if FORM == 0 && BIAS
  sum += read_bias(o);
#end
#if FORM == 1 && BIAS
  sum += read_bias(c);
#end
  write_y(i, sum);
#end
