// packed [rows, TO] from x [rows, FROM], channels beyond FROM are 0: what conv1d_operands.wgsl reads by fours. A thread owns PER
// elements, WORKGROUP apart.
#main items first..last
  for (var i = first; i < last; i += $WORKGROUP) {
    let at = i % $TO;
    let value = read_x(i / $TO * $FROM + min(at, ${FROM - 1}u));
    write_packed(i, select(0.0, value, at < $FROM));
  }
#end
