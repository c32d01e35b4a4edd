// partial[s, c] = Σ x[r, c] over the rows r of span s. A thread owns one (s, c); neighbours read neighbouring columns.
// Bytes 4·ROWS·COLUMNS.
#main thread i
  let first = i / $COLUMNS * $SPAN;
  let column = i % $COLUMNS;
  write_partial(i, sum_in_order(first * $COLUMNS + column, $COLUMNS, min($SPAN, $ROWS - first), lane));
#end
