// y[i] = Σ_s partial[s, i] (+ bias[i mod BIAS_LENGTH]): the second stage of every two-stage sum.
// A thread or a team owns an i, one of SUMS. Bytes 4·(SPLIT + 1)·SUMS.
#main workgroup group
  let i = group * ${WORKGROUP / LANES} + lane % ${WORKGROUP / LANES};
  var sum = sum_in_order(min(i, ${SUMS - 1}u), $SUMS, $SPLIT, lane);
  if (lane >= ${WORKGROUP / LANES} || i >= $SUMS) { return; }
#if BIAS
  sum += read_bias(i % $BIAS_LENGTH);
#end
  write_y(i, sum);
#end
