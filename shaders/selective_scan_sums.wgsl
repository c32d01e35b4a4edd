// The last stage of the scan's backward pass: sums its partials in order. A thread owns one value of dA [d, n], of
// dB and dC [b, l, n] or of dD and dbias [d]. `work` is laid out as selective_scan_backward.wgsl says.
#main thread thread
  var i = thread;
  if (i < ${2 * ROWS * N}) {
    var sum = 0.0;
    for (var part = 0u; part < $PARTS; part++) { sum += read_work(part * ${2 * ROWS * N} + i); }
    let row = i / ${2 * N};
    let n = i % ${2 * N};
    if (n < $N) { write_db(row * $N + n, sum); } else { write_dc(row * $N + n - $N, sum); }
    return;
  }
  i -= ${2 * ROWS * N};
  if (i < ${D * N}) {
    var sum = 0.0;
    for (var s = 0u; s < $SPLIT; s++) { sum += read_work($CARRIES + s * ${D * N} + i); }
    write_da(i, sum);
    return;
  }
  i -= ${D * N};
  var skip = 0.0;
  var bias = 0.0;
  for (var s = 0u; s < $SPLIT; s++) {
    skip += read_work($SUMS + (s * $D + i) * 2);
    bias += read_work($SUMS + (s * $D + i) * 2 + 1);
  }
#if HAS_D
  write_dd(i, skip);
#end
#if BIAS
  write_dbias(i, bias);
#end
#end
