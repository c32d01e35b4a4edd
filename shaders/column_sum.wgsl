// partial[s, c] = Σ x[r, c] over the rows r of span s. A thread owns one (s, c); neighbours read neighbouring columns.
// Bytes 4·ROWS·COLUMNS.
#main thread i
  let first = i / $COLUMNS * $SPAN;
  let column = i % $COLUMNS;
  var sum = 0.0;
  for (var r = first; r < min(first + $SPAN, ${ROWS}u); r++) { sum += read_x(r * $COLUMNS + column); }
  write_partial(i, sum);
#end
