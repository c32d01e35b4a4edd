// Normalisation of rows: x̂ = (x − μ) r, y = x̂ · weight + bias, with r = 1/√(var + ε) (LayerNorm, Ba et al. 2016), or
// μ = 0, r = 1/√(mean(x²) + ε) and no bias (RMSNorm, Zhang & Sennrich 2019; CENTER is false).
// x, y, dy, dx [rows, d]; stats [rows, 2]: μ − x[row, 0] and r, or [rows, 1]: r. Everything is measured from the row's
// first value, so that a large common offset costs no digits.
// Where there are GROUPS, weight has a line for each, a row is of group row % GROUPS, and all rows of a run of run % GROUPS.
// BACKWARD: g = dy · weight, dx = r (g − mean(g) − x̂ mean(g x̂)), the middle term only where CENTER; and
// partial[run] = (Σ dy x̂, Σ dy) over the rows of a run, for channel_sums.wgsl.
// LANES threads (a team) walk the RUN rows of a run; neighbours own neighbouring values, PER each, and keep them, their
// weights and their column sums in registers, so that every tensor is read and written once. Row sums meet in a quad
// (QUAD) and in workgroup memory. Four lanes need no barrier, which is dear on CPU-backed adapters; more fill a GPU.
// Bytes: 8 an element forward, 12 backward. FLOPs about 8 an element forward, 14 backward.
// Tried: 32 elements a lane, so that four lanes serve wide rows too; it ran well on a CPU, but took seconds to compile.
// Wide rows without teams are in norm_steps.wgsl.

#if VECTOR
fn total(v: vec4f) -> f32 { return (v.x + v.y) + (v.z + v.w); }
#else
fn total(v: f32) -> f32 { return v; }
#end

#if LANES > 4 || !QUAD
var<workgroup> lane_sums: array<vec2f, $WORKGROUP>;
#end

// Sums over the lanes of a row, known to all of them; always in the same order.
fn sum_lanes(own: vec2f, lane: u32) -> vec2f {
  var v = own;
#if QUAD
  v += quadSwapX(v);
  v += quadSwapY(v);
#end
#if LANES > 4 || !QUAD
  workgroupBarrier();
  lane_sums[lane] = v;
  workgroupBarrier();
  let first = lane / $LANES * $LANES;
  v = vec2f();
  for (var i = 0u; i < ${LANES}u; i += ${QUAD * 3 + 1}u) { v += lane_sums[first + i]; }
#end
  return v;
}

#main workgroup group
  let run = group * ${WORKGROUP / LANES} + lane / $LANES;
  // A lane's last value may lie past the end of the row (not `own`), a run's last rows past the last row (not `live`).
  let own = lane % $LANES + ${(PER - 1) * LANES} < $D;
#for p in 0..PER
  let j_$p = min(lane % $LANES + ${p * LANES}, ${D - 1}u);
#if FORWARD || DX
  let weight_$p = read_weight(run % $GROUPS * $D + j_$p);
#end
#if FORWARD && CENTER
  let bias_$p = read_bias(j_$p);
#end
#if WEIGHTS
  var dweight_$p = $TYPE();
  var dbias_$p = $TYPE();
#end
#end
  for (var n = 0u; n < $RUN; n++) {
    let next = (run / $GROUPS * $RUN + n) * $GROUPS + run % $GROUPS;
    let row = min(next, ${ROWS - 1}u);
    let live = next < $ROWS;
#for p in 0..PER
    let x_$p = read_x(row * $D + j_$p);
#end
#if CENTER
#if VECTOR
    let origin = read_x(row * $D).x;
#else
    let origin = read_x(row * $D);
#end
#end
#if FORWARD
#if CENTER
    var sum = $TYPE();
#for p in 0..PER
    let shifted_$p = x_$p - origin;
#if TAIL && p == PER - 1
    sum += select($TYPE(), shifted_$p, own);
#else
    sum += shifted_$p;
#end
#end
    let mean = sum_lanes(vec2f(total(sum), 0.0), lane).x / $SIZE;
#end
    var squares = $TYPE();
#for p in 0..PER
#if CENTER
    let v_$p = shifted_$p - mean;
#else
    let v_$p = x_$p;
#end
#if TAIL && p == PER - 1
    squares += select($TYPE(), v_$p * v_$p, own);
#else
    squares = fma(v_$p, v_$p, squares);
#end
#end
    let r = inverseSqrt(sum_lanes(vec2f(total(squares), 0.0), lane).x / $SIZE + $EPS);
    if (live) {
#for p in 0..PER
#if CENTER
      let y_$p = fma(v_$p * r, weight_$p, bias_$p);
#else
      let y_$p = v_$p * r * weight_$p;
#end
#if TAIL && p == PER - 1
      if (own) { write_y(row * $D + j_$p, y_$p); }
#else
      write_y(row * $D + j_$p, y_$p);
#end
#end
      if (lane % $LANES == 0) {
#if CENTER
        write_stats(row * 2, mean);
        write_stats(row * 2 + 1, r);
#else
        write_stats(row, r);
#end
      }
    }
#else
#if CENTER
    let mean = read_stats(row * 2);
    let r = read_stats(row * 2 + 1);
#else
    let r = read_stats(row);
#end
    var sum_g = $TYPE();
    var sum_gx = $TYPE();
#for p in 0..PER
#if TAIL && p == PER - 1
    let dy_$p = select($TYPE(), read_dy(row * $D + j_$p), live && own);
#else
    let dy_$p = select($TYPE(), read_dy(row * $D + j_$p), live);
#end
#if CENTER
    let v_$p = (x_$p - origin - mean) * r;
#else
    let v_$p = x_$p * r;
#end
#if WEIGHTS
    dweight_$p = fma(dy_$p, v_$p, dweight_$p);
    dbias_$p += dy_$p;
#end
#if DX
    let g_$p = dy_$p * weight_$p;
    sum_g += g_$p;
    sum_gx = fma(g_$p, v_$p, sum_gx);
#end
#end
#if DX
    let mean_g = sum_lanes(vec2f(total(sum_g), total(sum_gx)), lane) / $SIZE;
    if (live) {
#for p in 0..PER
#if CENTER
      let dx_$p = r * (g_$p - mean_g.x - v_$p * mean_g.y);
#else
      let dx_$p = r * (g_$p - v_$p * mean_g.y);
#end
#if TAIL && p == PER - 1
      if (own) { write_dx(row * $D + j_$p, dx_$p); }
#else
      write_dx(row * $D + j_$p, dx_$p);
#end
#end
    }
#end
#end
  }
#if WEIGHTS
  if (run >= $RUNS) { return; }
#for p in 0..PER
#if TAIL && p == PER - 1
  if (!own) { return; }
#end
  write_partial(run * ${D * PARTS} + j_$p, dweight_$p);
#if PARTS == 2
  write_partial(run * ${D * PARTS} + $D + j_$p, dbias_$p);
#end
#end
#end
#end
