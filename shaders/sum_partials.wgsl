// y[i] = Σ_s partial[s, i] (+ bias[i mod BIAS_LENGTH]), s ascending: the second stage of every two-stage sum.
// A thread owns one i. Bytes 4·(SPLIT + 1)·THREADS.
#main thread i
  var sum = sum_in_order(i, $THREADS, $SPLIT);
#if BIAS
  sum += read_bias(i % $BIAS_LENGTH);
#end
  write_y(i, sum);
#end
