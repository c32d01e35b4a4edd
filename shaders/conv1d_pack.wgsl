// What conv1d_operands.wgsl needs in another layout than the graph has, its weights aside. A thread owns PER elements, WORKGROUP
// apart.
// CHANNELS_ONLY: packed [rows, TO] from x [rows, FROM], channels beyond FROM are 0.
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
    let value = read_x(i / $TO * $FROM + min(at, ${FROM - 1}u));
    write_packed(i, select(0.0, value, at < $FROM));
#end
  }
#end
