// weight[c, j] = Σ_s partial[s, j, c], and bias[c] = Σ_s partial[s, TAPS, c] where BIAS: the second stage of
// the gradients of per-channel weights. partial [SPLIT, TAPS (+ 1), CHANNELS]; weight [CHANNELS, TAPS].
// A thread or a team owns a (j, c), one of SUMS; neighbours read neighbouring channels. Bytes 4·(SPLIT + 1)·(TAPS + 1)·CHANNELS.
#main workgroup group
  let i = group * ${WORKGROUP / LANES} + lane % ${WORKGROUP / LANES};
  let sum = sum_in_order(min(i, ${SUMS - 1}u), $SUMS, $SPLIT, lane);
  if (lane >= ${WORKGROUP / LANES} || i >= $SUMS) { return; }
  let channel = i % $CHANNELS;
  let tap = i / $CHANNELS;
#if BIAS
  if (tap == $TAPS) { write_bias(channel, sum); } else { write_weight(channel * $TAPS + tap, sum); }
#else
  write_weight(channel * $TAPS + tap, sum);
#end
#end
