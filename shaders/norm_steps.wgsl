// The norms of norm.wgsl in two steps each, for rows of any width: every tensor is read twice, but no lanes meet.
// STATS: stats[row] = (μ − x[row, 0], r), by Welford's update in one pass. A thread owns a row.
// APPLY: y = x̂ · weight + bias. A thread owns a column (four with TYPE vec4f) and the RUN rows of a run.
// SUMS: sums[row] = (mean(g), mean(g x̂)), g = dy · weight. A thread owns a row.
// COLUMNS: dx (where DX), and partial[run] = (Σ dy x̂, Σ dy) over the rows of a run (where WEIGHTS); threads as in APPLY.
// Bytes: 12 an element forward, 20 backward.
// Tried: a thread a row for everything; three passes forward and three backward read the weights again for each row
// and were half as fast on a CPU.

#if VECTOR
fn total(v: vec4f) -> f32 { return (v.x + v.y) + (v.z + v.w); }
fn first(v: vec4f) -> f32 { return v.x; }
#else
fn total(v: f32) -> f32 { return v; }
fn first(v: f32) -> f32 { return v; }
#end

#if !STATS
// The row's x̂ from what STATS has saved.
struct Row { origin: f32, mean: f32, r: f32 }
#if CENTER
fn row_of(row: u32) -> Row { return Row(first(read_x(row * $D)), read_stats(row * 2), read_stats(row * 2 + 1)); }
fn normal(v: $TYPE, row: Row) -> $TYPE { return (v - row.origin - row.mean) * row.r; }
#else
fn row_of(row: u32) -> Row { return Row(0.0, 0.0, read_stats(row)); }
fn normal(v: $TYPE, row: Row) -> $TYPE { return v * row.r; }
#end
#end

#main thread i
#if STATS
  let base = i * $D;
#if CENTER
  // Each of the four components of TYPE has a mean and a sum of squares of its own; they are merged at the end.
  let origin = first(read_x(base));
  var means = $TYPE();
  var squares = $TYPE();
  for (var j = 0u; j < $D; j++) {
    let v = read_x(base + j) - origin;
    let delta = v - means;
    means += delta / f32(j + 1);
    squares = fma(delta, v - means, squares);
  }
  let mean = total(means) / ${VECTOR * 3 + 1};
  let between = means - mean;
  let r = inverseSqrt((total(squares) + $D * total(between * between)) / $SIZE + $EPS);
  write_stats(i * 2, mean);
  write_stats(i * 2 + 1, r);
#else
  var squares = $TYPE();
  for (var j = 0u; j < $D; j++) {
    let v = read_x(base + j);
    squares = fma(v, v, squares);
  }
  write_stats(i, inverseSqrt(total(squares) / $SIZE + $EPS));
#end
#end
#if SUMS
  let base = i * $D;
  let row = row_of(i);
  var sum_g = $TYPE();
  var sum_gx = $TYPE();
  for (var j = 0u; j < $D; j++) {
    let g = read_dy(base + j) * read_weight(i % $GROUPS * $D + j);
    sum_g += g;
    sum_gx = fma(g, normal(read_x(base + j), row), sum_gx);
  }
  write_sums(i * 2, total(sum_g) / $SIZE);
  write_sums(i * 2 + 1, total(sum_gx) / $SIZE);
#end
#if APPLY || COLUMNS
  let run = i / $D;
  let column = i % $D;
#if APPLY || DX
  let weight_c = read_weight(run % $GROUPS * $D + column);
#end
#if APPLY && CENTER
  let bias_c = read_bias(column);
#end
#if WEIGHTS
  var dweight = $TYPE();
  var dbias = $TYPE();
#end
  let start = run / $GROUPS * ${RUN * GROUPS} + run % $GROUPS;
  for (var n = start; n < min(start + ${RUN * GROUPS}, ${ROWS}u); n += $GROUPS) {
    let row = row_of(n);
    let at = n * $D + column;
    let v = normal(read_x(at), row);
#if APPLY
#if CENTER
    write_y(at, fma(v, weight_c, bias_c));
#else
    write_y(at, v * weight_c);
#end
#else
    let dy_c = read_dy(at);
#if WEIGHTS
    dweight = fma(dy_c, v, dweight);
    dbias += dy_c;
#end
#if DX
#if CENTER
    write_dx(at, row.r * (dy_c * weight_c - read_sums(n * 2) - v * read_sums(n * 2 + 1)));
#else
    write_dx(at, row.r * (dy_c * weight_c - v * read_sums(n * 2 + 1)));
#end
#end
#end
  }
#if WEIGHTS
  write_partial(run * ${D * PARTS} + column, dweight);
#if PARTS == 2
  write_partial(run * ${D * PARTS} + $D + column, dbias);
#end
#end
#end
#end
