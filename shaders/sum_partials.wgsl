// y[i] = Σ_s partial[s, i] (+ bias[i mod BIAS_LENGTH]), s ascending: the second stage of every two-stage sum.
// A thread owns one i. Bytes 4·(SPLIT + 1)·THREADS.
#main thread i
  var sum = 0.0;
  for (var s = 0u; s < $SPLIT; s++) { sum += read_partial(s * $THREADS + i); }
#if BIAS
  sum += read_bias(i % $BIAS_LENGTH);
#end
  write_y(i, sum);
#end
