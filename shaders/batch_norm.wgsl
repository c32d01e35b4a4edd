// BatchNorm over the rows of x [rows, d] (Ioffe & Szegedy 2015): x̂ = (x − μ) r with r = 1/√(var + ε), y = act(x̂ · weight + bias).
// MOMENTS: moments[span] = (mean, M2) of the span's rows by Welford's update. A thread owns a column (four with TYPE
//   vec4f) and a span. Everything is measured from the column's first value, so that a common offset costs no digits.
// MERGE: Chan's merge of GROUP neighbouring moments, in ascending order. The last round (LAST) writes
//   stats = (μ − x[0], r) and, where RUNNING, moves the running statistics: var / (N − 1) there, var / N here, as PyTorch.
// SHIFT: the statistics are those of x + shift.
// FIXED: stats from the running statistics instead, for evaluation.
// APPLY: y. A thread owns a column and the RUN rows of a run, as in the two below.
// SUMS: partial[run] = (Σ g x̂, Σ g) for channel_sums.wgsl; g is dy, where y > 0 if RELU: whether it is is computed again.
// DX: dx = weight r (g − Σ g / N − x̂ Σ g x̂ / N); weight r g where the statistics are FIXED.
// Bytes: 12 an element forward (4 of MOMENTS), 20 backward. About 8 FLOPs an element forward, 16 backward.

#if MOMENTS || MERGE || FIXED
// Rows of span `span` of `length` rows.
fn rows_of(span: u32, length: u32) -> f32 { return f32(min((span + 1) * length, ${ROWS}u) - span * length); }
#else
fn act(v: $TYPE) -> $TYPE {
#if RELU
  // Not max: what is not a number stays visible.
  return select(v, $TYPE(), v < $TYPE());
#else
  return v;
#end
}
#end

#main thread i
  let run = i / $D;
  let column = i % $D;
#if MOMENTS
  let origin = read_x(column);
  var mean = $TYPE();
  var squares = $TYPE();
  for (var n = 0u; n < u32(rows_of(run, $RUN)); n++) {
    let v = read_x((run * $RUN + n) * $D + column) - origin;
    let delta = v - mean;
    mean += delta / f32(n + 1);
    squares = fma(delta, v - mean, squares);
  }
  write_moments(run * ${2 * D} + column, mean);
  write_moments(run * ${2 * D} + $D + column, squares);
#end
#if MERGE
  var mean = $TYPE();
  var squares = $TYPE();
  var rows = 0.0;
  for (var s = run * $GROUP; s < min(run * $GROUP + $GROUP, ${SPANS}u); s++) {
    let own = rows_of(s, $RUN);
    let delta = read_moments(s * ${2 * D} + column) - mean;
    let share = own / (rows + own);
    mean = fma(delta, $TYPE(share), mean);
    squares += read_moments(s * ${2 * D} + $D + column) + delta * delta * (rows * share);
    rows += own;
  }
#if LAST
  write_stats(column, mean);
  write_stats($D + column, inverseSqrt(squares / f32($ROWS) + $EPS));
#if RUNNING
#if SHIFT
  let mean_now = read_x(column) + mean + read_shift(column);
#else
  let mean_now = read_x(column) + mean;
#end
  // What is not finite is not remembered, as AdamW does not follow it.
  let infinite = $BITS(0x7f800000u);
  let good = ((bitcast<$BITS>(mean_now) & infinite) != infinite) & ((bitcast<$BITS>(squares) & infinite) != infinite);
  write_running_mean(column, select(read_running_mean(column), mix(read_running_mean(column), mean_now, $TYPE($MOMENTUM)), good));
  write_running_var(column, select(read_running_var(column), mix(read_running_var(column), squares / f32(${ROWS - 1}), $TYPE($MOMENTUM)), good));
#end
#else
  write_merged(run * ${2 * D} + column, mean);
  write_merged(run * ${2 * D} + $D + column, squares);
#end
#end
#if FIXED
#if SHIFT
  write_stats(column, read_running_mean(column) - read_shift(column) - read_x(column));
#else
  write_stats(column, read_running_mean(column) - read_x(column));
#end
  write_stats($D + column, inverseSqrt(read_running_var(column) + $EPS));
#end
#if APPLY || SUMS || DX
  let origin = read_x(column);
  let mean = read_stats(column);
  let r = read_stats($D + column);
#if APPLY || RELU || DX
  let weight_c = read_weight(column);
#end
#if APPLY || RELU
  let bias_c = read_bias(column);
#end
#if SUMS
  var sum_gx = $TYPE();
  var sum_g = $TYPE();
#end
#if DX && !CONSTANT
  let mean_gx = read_dweight(column) / f32($ROWS);
  let mean_g = read_dbias(column) / f32($ROWS);
#end
  for (var n = run * $RUN; n < min(run * $RUN + $RUN, ${ROWS}u); n++) {
    let at = n * $D + column;
    let v = (read_x(at) - origin - mean) * r;
#if APPLY
    write_y(at, act(fma(v, weight_c, bias_c)));
#else
#if RELU
    let g = select(read_dy(at), $TYPE(), fma(v, weight_c, bias_c) <= $TYPE());
#else
    let g = read_dy(at);
#end
#if SUMS
    sum_gx = fma(g, v, sum_gx);
    sum_g += g;
#else
#if CONSTANT
    write_dx(at, weight_c * r * g);
#else
    write_dx(at, weight_c * r * (g - mean_g - v * mean_gx));
#end
#end
#end
  }
#if SUMS
  write_partial(run * ${2 * D} + column, sum_gx);
  write_partial(run * ${2 * D} + $D + column, sum_g);
#end
#end
#end
