// BatchNorm over the rows of x [rows, d] (Ioffe & Szegedy 2015): x̂ = (x − μ) r with r = 1/√(var + ε), y = act(x̂ · weight + bias).
// MOMENTS: moments[span] = (mean, M2) of the span's rows by Welford's update. A thread owns a column (four with TYPE
//   vec4f) and a span. Everything is measured from the column's first value, so that a common offset costs no digits.
// MERGE: Chan's merge of all moments in a fixed order, LANES threads a column, whose parts meet by halves. It writes
//   stats = (μ − x[0], r) and, where RUNNING, moves the running statistics: var / (N − 1) there, var / N here, as PyTorch.
// SHIFT: the statistics are those of x + shift.
// FIXED: stats from the running statistics instead, for evaluation.
// APPLY: y. A thread owns a column and the RUN rows of a run, as in the two below.
// SUMS: partial[run] = (Σ g x̂, Σ g) for channel_sums.wgsl; g is dy, where y > 0 if RELU: whether it is is computed again.
// DX: dx = weight r (g − Σ g / N − x̂ Σ g x̂ / N); weight r g where the statistics are FIXED.
// MOMENTS and SUMS load FLIGHT rows at a time, MERGE four spans, so that a GPU does not wait for each.
// Bytes: 12 an element forward (4 of MOMENTS), 20 backward. About 8 FLOPs an element forward, 16 backward.

#if MERGE
struct Moments { mean: $TYPE, squares: $TYPE, rows: f32 }

fn merge(a: Moments, b: Moments) -> Moments {
  let delta = b.mean - a.mean;
  let share = b.rows / (a.rows + b.rows);
  let squares = a.squares + (b.squares + delta * delta * (a.rows * share));
  return Moments(fma(delta, $TYPE(share), a.mean), squares, a.rows + b.rows);
}

#if LANES > 1
var<workgroup> lane_moments: array<Moments, $WORKGROUP>;
#end

#main workgroup group
  let own_column = group * ${WORKGROUP / LANES} + lane % ${WORKGROUP / LANES};
  let column = min(own_column, ${D - 1}u);
  var all = Moments();
  for (var s = lane / ${WORKGROUP / LANES}; s < $SPANS; s += ${4 * LANES}u) {
#for k in 0..4
    let span_$k = min(s + ${k * LANES}, ${SPANS - 1}u);
    let mean_$k = read_moments(span_$k * ${2 * D} + column);
    let squares_$k = read_moments(span_$k * ${2 * D} + $D + column);
#end
#for k in 0..4
    if (s + ${k * LANES} < $SPANS) {
      let rows_$k = f32(min((span_$k + 1) * $RUN, ${ROWS}u) - span_$k * $RUN);
      all = merge(all, Moments(mean_$k, squares_$k, rows_$k));
    }
#end
  }
#if LANES > 1
  lane_moments[lane] = all;
  for (var half = ${WORKGROUP / 2}u; half >= ${WORKGROUP / LANES}; half /= 2) {
    workgroupBarrier();
    if (lane < half && lane_moments[lane + half].rows > 0.0) {
      lane_moments[lane] = merge(lane_moments[lane], lane_moments[lane + half]);
    }
  }
  all = lane_moments[lane];
#end
  if (lane >= ${WORKGROUP / LANES} || own_column >= $D) { return; }
  let mean = all.mean;
  let squares = all.squares;
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
#end
#else
#if !MOMENTS && !FIXED
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
  let first = run * $RUN;
  let last = min(first + $RUN, ${ROWS}u);
#if MOMENTS
  let origin = read_x(column);
  var mean = $TYPE();
  var squares = $TYPE();
  for (var n = first; n < last; n += $FLIGHT) {
#for k in 0..FLIGHT
    let v_$k = read_x(min(n + $k, last - 1) * $D + column) - origin;
#end
#for k in 0..FLIGHT
    if (n + $k < last) {
      let delta_$k = v_$k - mean;
      mean += delta_$k / f32(n + ${k + 1} - first);
      squares = fma(delta_$k, v_$k - mean, squares);
    }
#end
  }
  write_moments(run * ${2 * D} + column, mean);
  write_moments(run * ${2 * D} + $D + column, squares);
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
#if SUMS
  for (var n = first; n < last; n += $FLIGHT) {
#for k in 0..FLIGHT
    let at_$k = min(n + $k, last - 1) * $D + column;
    let x_$k = read_x(at_$k);
    let dy_$k = read_dy(at_$k);
#end
#for k in 0..FLIGHT
    if (n + $k < last) {
      let v_$k = (x_$k - origin - mean) * r;
#if RELU
      let g_$k = select(dy_$k, $TYPE(), fma(v_$k, weight_c, bias_c) <= $TYPE());
#else
      let g_$k = dy_$k;
#end
      sum_gx = fma(g_$k, v_$k, sum_gx);
      sum_g += g_$k;
    }
#end
  }
  write_partial(run * ${2 * D} + column, sum_gx);
  write_partial(run * ${2 * D} + $D + column, sum_g);
#else
  for (var n = first; n < last; n++) {
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
#if CONSTANT
    write_dx(at, weight_c * r * g);
#else
    write_dx(at, weight_c * r * (g - mean_g - v * mean_gx));
#end
#end
  }
#end
#end
#end
#end
