// The products that the kernels of a chunk of a head need, for ssd_scan.wgsl and ssd_scan_backward.wgsl; names as there.
// What is multiplied is staged in workgroup memory, BLOCK values of the chunk's rows (or of 32 states) at a time, four rows side by
// side: value v of rows 4 g … 4 g + 3 lies at [v · Q/4 + g]. Rows beyond the last are the last, values beyond the last are 0.
// Every stage_… starts and ends with a barrier.
// product_…, a row of four for each row of the left side: 0: C Bᵀ and 1: dy xᵀ for pairs of steps i ≥ j, others are 0; a lane owns
// steps i from 4 (lane / 8) and j from 4 (lane % 8). 2: dy Sᵀ and 3: x dS'ᵀ for 16 states from `states` on; a lane owns the steps
// from 2 (lane / 4) and the states from 4 (lane % 4).
// Tried: rows read where they are needed, by fours (25 to 84 spills on Intel), the same with tiles of 2 × 4 (3 to 15).
var<workgroup> left_block: array<vec4f, ${BLOCK * Q / 4}>;
var<workgroup> right_block: array<vec4f, ${BLOCK * Q / 4}>;

struct Chunk { group: u32, b: u32, h: u32, first: u32, rows: u32, states: u32 }

fn pick(v: vec4f, i: u32) -> f32 { return select(select(v.x, v.y, i == 1), select(v.z, v.w, i == 3), i > 1); }

// 0: C, left; 1: B, right; in PARTS also 2: dy, left; 3: x, right; 4: S, right; 5: x, left; 6: dS', right.
#for s in 0..2+5*PARTS
fn stage_$s(lane: u32, at: Chunk, start: u32) {
  workgroupBarrier();
#if s == 4 || s == 6
  for (var item = lane; item < ${BLOCK * 4}; item += 64u) {
    let group = item % 4;
    let value = start + item / 4;
#else
  for (var item = lane; item < ${BLOCK * Q / 4}; item += 64u) {
    let group = item % ${Q / 4};
    let value = start + item / ${Q / 4};
#end
    let four = value / 4 * 4;
    var rows = vec4f();
#if s < 2 && N % BLOCK != 0
    if (value < $N)
#end
#if s >= 2 && P % BLOCK != 0
    if (value < $P)
#end
    {
#for k in 0..4
#if s == 4 || s == 6
      let row_$k = at.group * $N + min(at.states + group * 4 + $k, ${N - 1});
#else
      let row_$k = at.b * $L + row_of(at.first + min(group * 4 + $k, at.rows - 1));
#end
#if s == 0
      let four_$k = xbc_four(row_$k * $WIDTH + c_of(at.h) + four, $N - four);
#end
#if s == 1
      let four_$k = xbc_four(row_$k * $WIDTH + b_of(at.h) + four, $N - four);
#end
#if s == 2
      let four_$k = dy_four(row_$k * $D + at.h * $P + four, $P - four);
#end
#if s == 3 || s == 5
      let four_$k = xbc_four(row_$k * $WIDTH + x_of(at.h) + four, $P - four);
#end
#if s == 4
      let four_$k = states_four(row_$k * $P + four, $P - four);
#end
#if s == 6
      let four_$k = dstates_four(row_$k * $P + four, $P - four);
#end
      rows[$k] = pick(four_$k, value % 4);
#end
    }
#if s == 0 || s == 2 || s == 5
    left_block[(value - start) * ${Q / 4} + group] = rows;
#else
    right_block[(value - start) * ${Q / 4} + group] = rows;
#end
  }
  workgroupBarrier();
}
#end

#for s in 0..1+PARTS
fn product_$s(lane: u32, at: Chunk) -> mat4x4f {
#for k in 0..4
  var sum_$k = vec4f();
#end
#if s == 0
  for (var start = 0u; start < $N_END; start += $BLOCK) {
#else
  for (var start = 0u; start < $P_END; start += $BLOCK) {
#end
    stage_${2 * s}(lane, at, start);
    stage_${2 * s + 1}(lane, at, start);
    if (lane / 8 >= lane % 8) {
      for (var v = 0u; v < $BLOCK_END; v++) {
        let left = left_block[v * ${Q / 4} + lane / 8];
        let right = right_block[v * ${Q / 4} + lane % 8];
#for k in 0..4
        sum_$k = fma(vec4f(left[$k]), right, sum_$k);
#end
      }
    }
  }
  return mat4x4f(sum_0, sum_1, sum_2, sum_3);
}
#end

#for s in 2..2+2*PARTS
fn product_$s(lane: u32, at: Chunk) -> mat2x4f {
  var sum_0 = vec4f();
  var sum_1 = vec4f();
  for (var start = 0u; start < $P_END; start += $BLOCK) {
    stage_${3 * s - 4}(lane, at, start);
    stage_${2 * s}(lane, at, start);
    for (var v = 0u; v < $BLOCK_END; v++) {
      let four = left_block[v * ${Q / 4} + lane / 8];
      let left = select(four.xy, four.zw, lane / 4 % 2 == 1);
      let right = right_block[v * ${Q / 4} + lane % 4];
      sum_0 = fma(vec4f(left.x), right, sum_0);
      sum_1 = fma(vec4f(left.y), right, sum_1);
    }
  }
  return mat2x4f(sum_0, sum_1);
}
#end
