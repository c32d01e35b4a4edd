// The last stage of the scan's backward pass: sums its partials in order. A thread owns one value of dA [d, n], of
// dB and dC [b, l, n] or of dD and dbias [d]. `work` is laid out as selective_scan_backward.wgsl says.
#main thread thread
  var i = thread;
  if (i < ${2 * ROWS * N}) {
    let sum = sum_in_order(i, ${2 * ROWS * N}u, $PARTS, lane);
    let row = i / ${2 * N};
    let n = i % ${2 * N};
    if (n < $N) { write_db(row * $N + n, sum); } else { write_dc(row * $N + n - $N, sum); }
    return;
  }
  i -= ${2 * ROWS * N};
  if (i < ${D * N}) {
    write_da(i, sum_in_order($CARRIES + i, ${D * N}u, $SPLIT, lane));
    return;
  }
  i -= ${D * N};
#if HAS_D
  write_dd(i, sum_in_order($SUMS + 2 * i, ${2 * D}u, $SPLIT, lane));
#end
#if BIAS
  write_dbias(i, sum_in_order($SUMS + 2 * i + 1, ${2 * D}u, $SPLIT, lane));
#end
#end
