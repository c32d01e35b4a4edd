// weight[c, j] = Σ_s partial[s, j, c], s ascending, and bias[c] = Σ_s partial[s, TAPS, c] where BIAS: the second stage of
// the gradients of per-channel weights. partial [SPLIT, TAPS (+ 1), CHANNELS]; weight [CHANNELS, TAPS].
// A thread owns one (j, c); neighbours read neighbouring channels. Bytes 4·(SPLIT + 1)·(TAPS + 1)·CHANNELS.
#main thread i
  let sum = sum_in_order(i, $THREADS, $SPLIT);
  let channel = i % $CHANNELS;
  let tap = i / $CHANNELS;
#if BIAS
  if (tap == $TAPS) { write_bias(channel, sum); } else { write_weight(channel * $TAPS + tap, sum); }
#else
  write_weight(channel * $TAPS + tap, sum);
#end
#end
