// loss = mean over rows with a target of −log softmax(logits)[target], for logits [rows, v], target [rows].
// ROWS: per row the largest logit m (the lowest index wins ties: predicted), s = log Σ exp(logit − m) and the row's
// loss s − (logit[target] − m). lse [rows, 2] keeps m and s apart: their sum would lose the digits of s where m is large.
// LANES threads share a row; with 1 no memory of the workgroup is needed, with more the reads are coalesced.
// MEAN: one workgroup adds the rows' losses, in an order that depends on nothing but the number of rows.
// BACKWARD: dlogits = (exp(logit − m − s) − [target]) · dloss / counted, 0 in rows without a target; a thread owns one
// element, or four (VECTOR; D counts them).
// A target outside the vocabulary that is not IGNORE counts as the last token.
// Bytes: 4 a logit forward if a row stays in a cache between its two passes, 8 backward. FLOPs about 5 and 4 a logit.

#if ROWS_KERNEL
// log(1 + e); its series where log near 1 would lose the relative precision of a small loss.
fn log1p(e: f32) -> f32 {
  if (e < 0.03125) { return e * (1.0 - e * (0.5 - e * (0.33333333 - e * (0.25 - e * 0.2)))); }
  return log(1.0 + e);
}

#if LANES > 1
var<workgroup> lane_max: array<f32, $LANES>;
var<workgroup> lane_index: array<u32, $LANES>;
var<workgroup> lane_sum: array<f32, $LANES>;
#end

#main workgroup group
#if LANES > 1
  let row = group;
  let first = min(lane, ${V - 1}u);
#else
  let row = group * $WORKGROUP + lane;
  if (row >= $ROWS) { return; }
  let first = 0u;
#end
  let base = row * $V;
  var index = first;
  var largest = read_logits(base + first);
  for (var j = first + $LANES; j < $V; j += ${LANES}u) {
    let value = read_logits(base + j);
    if (value > largest) { largest = value; index = j; }
  }
#if LANES > 1
  lane_max[lane] = largest;
  lane_index[lane] = index;
  for (var half = ${LANES / 2}u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) {
      let value = lane_max[lane + half];
      let other = lane_index[lane + half];
      if (value > lane_max[lane] || (value == lane_max[lane] && other < lane_index[lane])) {
        lane_max[lane] = value;
        lane_index[lane] = other;
      }
    }
  }
  workgroupBarrier();
  largest = lane_max[0];
  index = lane_index[0];
#end
  // Σ exp without the largest term, which is 1.
  var rest = 0.0;
#if LANES > 1
  for (var j = lane; j < $V; j += ${LANES}u) {
#else
  for (var j = 0u; j < $V; j++) {
#end
    if (j != index) { rest += exp(read_logits(base + j) - largest); }
  }
#if LANES > 1
  lane_sum[lane] = rest;
  for (var half = ${LANES / 2}u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { lane_sum[lane] += lane_sum[lane + half]; }
  }
  if (lane > 0) { return; }
  rest = lane_sum[0];
#end
  let s = log1p(rest);
  write_predicted(row, index);
  write_lse(row * 2, largest);
  write_lse(row * 2 + 1, s);
  let wanted = read_target_(row);
  if (wanted == ${IGNORE}u) {
    write_losses(row, 0.0);
  } else {
    write_losses(row, s - (read_logits(base + min(wanted, ${V - 1}u)) - largest));
  }
#end
#end

#if MEAN
var<workgroup> lane_losses: array<f32, $WORKGROUP>;
// Rows with a target, and those of them whose prediction is right.
var<workgroup> lane_counts: array<vec2u, $WORKGROUP>;

#main workgroup group
  var sum = 0.0;
  var counts = vec2u();
  for (var row = lane; row < $ROWS; row += ${WORKGROUP}u) {
    let wanted = read_target_(row);
    if (wanted != ${IGNORE}u) {
      sum += read_losses(row);
      counts += vec2u(1, u32(read_predicted(row) == min(wanted, ${V - 1}u)));
    }
  }
  lane_losses[lane] = sum;
  lane_counts[lane] = counts;
  for (var half = ${WORKGROUP / 2}u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) {
      lane_losses[lane] += lane_losses[lane + half];
      lane_counts[lane] += lane_counts[lane + half];
    }
  }
  if (lane > 0) { return; }
  let rows = f32(max(lane_counts[0].x, 1));
  write_loss(0, lane_losses[0] / rows);
  write_correct(0, f32(lane_counts[0].y) / rows);
  write_counted(0, f32(lane_counts[0].x));
#end
#end

#if BACKWARD
// exp(u) − 1 for u ≤ 0, by its series where the difference would lose the digits of a small gradient.
fn expm1(u: f32) -> f32 {
  if (u > -0.03125) { return u * (1.0 + u * (0.5 + u * (0.16666667 + u * (0.041666667 + u * 0.0083333333)))); }
  return exp(u) - 1.0;
}

#main thread i
  let row = i / $D;
  let wanted = read_target_(row);
  if (wanted == ${IGNORE}u) {
    write_dlogits(i, $TYPE());
    return;
  }
  let token = min(wanted, ${V - 1}u);
  let u = read_logits(i) - read_lse(row * 2) - read_lse(row * 2 + 1);
  var p = exp(u);
#if VECTOR
  if (token / 4 == i % $D) { p[token % 4] = expm1(u[token % 4]); }
#else
  if (token == i % $D) { p = expm1(u); }
#end
  write_dlogits(i, p * (read_dloss(0) / read_counted(0)));
#end
#end
