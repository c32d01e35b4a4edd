// Σ of `count` values TERM(first), TERM(first + apart), … Eight loads are under way at a time: a GPU would else wait for each
// before it asks for the next (the last few too, except where a load costs more than waiting for it: SERIAL). They are added in a fixed order: LANES threads of a workgroup, whose indices are COLUMNS apart, add
// every LANES-th value each, in ascending order, and their sums meet by halves. Only a team's first thread knows the sum. With more
// than one lane all threads of the workgroup must call.
fn sum_of_lane(first: u32, apart: u32, count: u32) -> f32 {
  var sum = 0.0;
  var i = 0u;
  for (; i + 8 <= count; i += 8) {
#for k in 0..8
    let value_$k = $TERM(first + (i + $k) * apart);
#end
#for k in 0..8
    sum += value_$k;
#end
  }
#if SERIAL
  for (; i < count; i++) { sum += $TERM(first + i * apart); }
#else
  // What is left, at most once.
  for (; i < count; i += 8) {
#for k in 0..7
    let rest_$k = $TERM(first + min(i + $k, count - 1) * apart);
#end
#for k in 0..7
    sum += select(0.0, rest_$k, i + $k < count);
#end
  }
#end
  return sum;
}

#if LANES > 1
var<workgroup> lane_sums: array<f32, $WORKGROUP>;

fn sum_in_order(first: u32, apart: u32, count: u32, lane: u32) -> f32 {
  let part = lane / ${WORKGROUP / LANES};
  let own = (max(count, part) - part + ${LANES - 1}) / $LANES;
  lane_sums[lane] = sum_of_lane(first + part * apart, $LANES * apart, own);
  for (var half = ${WORKGROUP / 2}u; half >= ${WORKGROUP / LANES}; half /= 2) {
    workgroupBarrier();
    if (lane < half) { lane_sums[lane] += lane_sums[lane + half]; }
  }
  return lane_sums[lane];
}
#else
fn sum_in_order(first: u32, apart: u32, count: u32, lane: u32) -> f32 { return sum_of_lane(first, apart, count); }
#end
