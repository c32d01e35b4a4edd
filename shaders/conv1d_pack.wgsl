// What conv1d_operands.wgsl needs in another layout than the graph has. A thread owns PER elements of `packed`, WORKGROUP apart.
// CHANNELS_ONLY: packed [rows, TO] from x [rows, FROM], channels beyond FROM are 0.
// WEIGHTS: packed [n, TAPS, TO] from weight [o, c, KERNEL]. Forward n is o and the line (tap, c). TRANSPOSED n is
//   (r, c), r the step's phase, and the line (tap, o) from the last tap to the first: tap i is PHASE + r + (TAPS − 1 − i) STRIDE.
// SUMS: weight [o, FROM, KERNEL] = Σ_s partial[s, o, tap, TO] in ascending s.
#main items first..last
  for (var i = first; i < last; i += $WORKGROUP) {
#if SUMS
    let tap = i % $KERNEL;
    let c = i / $KERNEL % $FROM;
    let o = i / ${KERNEL * FROM};
    write_weight(i, sum_in_order((o * $KERNEL + tap) * $TO + c, $STEP, $SPLIT));
#else
    let at = i % $TO;
    let inside = at < $FROM;
    let source = min(at, ${FROM - 1}u);
#if WEIGHTS
    let line = i / $TO;
    let n = line / $TAPS;
#if TRANSPOSED
    let tap = $PHASE + n / $CHANNELS + (${TAPS - 1}u - line % $TAPS) * $STRIDE;
    let value = read_weight((source * $CHANNELS + n % $CHANNELS) * $KERNEL + tap);
#else
    let value = read_weight((n * $FROM + source) * $KERNEL + line % $TAPS);
#end
#else
    let value = read_x(i / $TO * $FROM + source);
#end
    write_packed(i, select(0.0, value, inside));
#end
  }
#end
