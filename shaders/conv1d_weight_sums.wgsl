// weight [o, FROM, KERNEL] = Σ_s partial[s, o, tap, TO]: the second stage of a convolution's gradient. A team owns an element, or a
// thread PER of them, WORKGROUP apart. Bytes 4·(SPLIT + 1)·SUMS.
fn place(i: u32) -> u32 { return (i / ${KERNEL * FROM} * $KERNEL + i % $KERNEL) * $TO + i / $KERNEL % $FROM; }

#if LANES > 1
#main workgroup group
  let i = group * ${WORKGROUP / LANES} + lane % ${WORKGROUP / LANES};
  let sum = sum_in_order(place(min(i, ${SUMS - 1}u)), $STEP, $SPLIT, lane);
  if (lane < ${WORKGROUP / LANES} && i < $SUMS) { write_weight(i, sum); }
#end
#else
#main items first..last
  for (var i = first; i < last; i += $WORKGROUP) { write_weight(i, sum_in_order(place(i), $STEP, $SPLIT, lane)); }
#end
#end
