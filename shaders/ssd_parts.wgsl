// PARTS of ssd_scan_backward.wgsl for adapters on which loads are dear; formulas, names and result as there. N and P are
// multiples of 16; the lanes of a quad share what they have in common: eight rows of steps, of which each loads two.
// A lane owns 8 × 4 pairs of steps, then 8 steps × 4 states. Pairs of steps that do not see each other are 0.
// xbc, dy, states and dstates are bound as vec4s: W4, D4, P4 are a quarter of their rows.
// Workgroup memory 8.5 KiB. 0.19 loads a multiply-add, where ssd_scan_backward.wgsl has 0.5.

var<workgroup> sums: array<f32, $Q>;
var<workgroup> deltas: array<f32, $Q>;
var<workgroup> pair_k: array<f32, ${Q * Q}>;
var<workgroup> pair_h: array<f32, ${Q * Q}>;
// C_i · e^{s_i} G_i Sᵀ and Δ_j u_j by row, in as many pieces as there are quads of states.
var<workgroup> through_c: array<f32, ${Q * N / 16}>;
var<workgroup> through_b: array<f32, ${Q * N / 16}>;
var<workgroup> inner: array<f32, ${Q / 4}>;

// Quads branch together, which the compiler cannot see.
@diagnostic(off, subgroup_uniformity)
fn sum_quad(own: f32) -> f32 {
  let pair = own + quadSwapX(own);
  return pair + quadSwapY(pair);
}

@diagnostic(off, subgroup_uniformity)
#main workgroup group
  let h = group % $H;
  let chunk = group / $H % $CHUNKS;
  let b = group / ${H * CHUNKS};
  turn(h);
  let first = chunk * $Q;
  let rows = min(${Q}u, $L - first);
  if (lane < rows) {
    let at = ((b * $H + h) * $L + first + lane) * 2;
    deltas[lane] = read_steps(at);
    sums[lane] = read_steps(at + 1);
  }
  workgroupBarrier();
  let last = sums[rows - 1];
  let own = lane % 4;
  let side_b = b_of(h) / 4;
  let side_c = c_of(h) / 4;
  let side_x = x_of(h) / 4;
  let side_p = h * $P4;

  // Eight tiles of steps j lie beside each other.
  let i0 = lane / 8 * 8;
  let j0 = lane % 8 * 4;
  if (i0 < rows && i0 + 7 >= lane / 4 % 2 * 16) {
#for k in 0..4
    let j_$k = min(j0 + $k, rows - 1);
    let jrow_$k = b * $L + row_of(first + j_$k);
#end
    let irow_0 = b * $L + row_of(first + min(i0 + own, rows - 1));
    let irow_1 = b * $L + row_of(first + min(i0 + 4 + own, rows - 1));
#for k in 0..8
    var cb_$k = vec4f();
    var gx_$k = vec4f();
#end
    for (var n = 0u; n < ${N / 4}; n++) {
#for m in 0..4
      let right_$m = read_xbc(jrow_$m * $W4 + side_b + n);
#end
      let own_0 = read_xbc(irow_0 * $W4 + side_c + n);
      let own_1 = read_xbc(irow_1 * $W4 + side_c + n);
#for k in 0..8
      let left_$k = quadBroadcast(own_${k / 4}, ${k % 4}u);
      cb_$k += vec4f(dot(left_$k, right_0), dot(left_$k, right_1), dot(left_$k, right_2), dot(left_$k, right_3));
#end
    }
    for (var p = 0u; p < $P4; p++) {
#for m in 0..4
      let right_$m = read_xbc(jrow_$m * $W4 + side_x + p);
#end
      let own_0 = read_dy(irow_0 * $D4 + side_p + p);
      let own_1 = read_dy(irow_1 * $D4 + side_p + p);
#for k in 0..8
      let left_$k = quadBroadcast(own_${k / 4}, ${k % 4}u);
      gx_$k += vec4f(dot(left_$k, right_0), dot(left_$k, right_1), dot(left_$k, right_2), dot(left_$k, right_3));
#end
    }
    let s_j = vec4f(sums[j_0], sums[j_1], sums[j_2], sums[j_3]);
#for k in 0..8
    {
      let decay = exp(min(sums[min(i0 + $k, rows - 1)] - s_j, vec4f()));
      let seen = (vec4u(j0, j0 + 1, j0 + 2, j0 + 3) <= vec4u(i0 + $k)) & vec4<bool>(i0 + $k < rows);
      let at = (i0 + $k) * $Q + j0;
      let pair = select(vec4f(), gx_$k * decay, seen);
      let through = pair * cb_$k;
#for m in 0..4
      pair_k[at + $m] = pair[$m];
      pair_h[at + $m] = through[$m];
#end
      // The diagonal's decay is 1, so its pairs are dD.
      let diagonal = i0 + $k - j0;
      if (diagonal < 4 && i0 + $k < rows) {
        write_parts(((b * $L + row_of(first + i0 + $k)) * $H + h) * ${2 * N + 3} + ${2 * N + 2}, gx_$k[diagonal]);
      }
    }
#end
  }
  var product = vec4f();
  for (var i = lane; i < ${N * P4}; i += ${Q}u) {
    product = fma(read_states(group * ${N * P4} + i), read_dstates(group * ${N * P4} + i), product);
  }
  let products = sum_quad(dot(product, vec4f(1.0)));
  if (own == 0) { inner[lane / 4] = products; }
  workgroupBarrier();

  for (var tile = lane; tile < ${N / 4 * Q / 8}; tile += ${Q}u) {
    let t = tile / ${N / 4} * 8;
    let n = tile % ${N / 4};
    if (t >= rows) { continue; }
    let state = (group * $N + 4 * n) * $P4;
    let own_row_0 = b * $L + row_of(first + min(t + own, rows - 1));
    let own_row_1 = b * $L + row_of(first + min(t + 4 + own, rows - 1));
#for k in 0..8
    var c_$k = vec4f();
    var b_$k = vec4f();
#end
    for (var p = 0u; p < $P4; p++) {
#for m in 0..4
      let value_$m = read_states(state + ${m * P4} + p);
      let dvalue_$m = read_dstates(state + ${m * P4} + p);
#end
#for m in 0..2
      let own_g_$m = read_dy(own_row_$m * $D4 + side_p + p);
      let own_x_$m = read_xbc(own_row_$m * $W4 + side_x + p);
#end
#for k in 0..8
      let g_$k = quadBroadcast(own_g_${k / 4}, ${k % 4}u);
      let x_$k = quadBroadcast(own_x_${k / 4}, ${k % 4}u);
      c_$k += vec4f(dot(g_$k, value_0), dot(g_$k, value_1), dot(g_$k, value_2), dot(g_$k, value_3));
      b_$k += vec4f(dot(x_$k, dvalue_0), dot(x_$k, dvalue_1), dot(x_$k, dvalue_2), dot(x_$k, dvalue_3));
#end
    }
#for k in 0..8
    {
      let row = b * $L + row_of(first + min(t + $k, rows - 1));
      let s = sums[min(t + $k, rows - 1)];
      c_$k *= exp(s);
      b_$k *= exp(last - s);
      let all_c = sum_quad(dot(read_xbc(row * $W4 + side_c + n), c_$k));
      let all_b = sum_quad(dot(read_xbc(row * $W4 + side_b + n), b_$k));
      if (own == 0) {
        through_c[(t + $k) * ${N / 16} + n / 4] = all_c;
        through_b[(t + $k) * ${N / 16} + n / 4] = all_b;
      }
    }
#end
    for (var j = 0u; j < min(t + 8, rows); j++) {
      let value = deltas[j] * read_xbc((b * $L + row_of(first + j)) * $W4 + side_b + n);
      let own_0 = pair_k[(t + own) * $Q + j];
      let own_1 = pair_k[(t + 4 + own) * $Q + j];
#for k in 0..8
      c_$k = fma(vec4f(quadBroadcast(own_${k / 4}, ${k % 4}u)), value, c_$k);
#end
    }
    for (var i = t; i < rows; i++) {
      let value = read_xbc((b * $L + row_of(first + i)) * $W4 + side_c + n);
      let own_0 = pair_k[i * $Q + t + own];
      let own_1 = pair_k[i * $Q + t + 4 + own];
#for k in 0..8
      b_$k = fma(vec4f(quadBroadcast(own_${k / 4}, ${k % 4}u)), value, b_$k);
#end
    }
#for k in 0..8
    if (t + $k < rows) {
      let to = ((b * $L + row_of(first + t + $k)) * $H + h) * ${2 * N + 3} + 4 * n;
      let delta = deltas[t + $k];
#for m in 0..4
      write_parts(to + $m, delta * b_$k[$m]);
      write_parts(to + ${N + m}, c_$k[$m]);
#end
    }
#end
  }
  // Σ over i ≥ t of the pairs of column j, for every t, in place.
  if (lane < rows) {
    var sum = 0.0;
    let delta = deltas[lane];
    for (var i = rows - 1; i > lane; i--) {
      sum += pair_h[i * $Q + lane];
      pair_h[i * $Q + lane] = sum * delta;
    }
    pair_h[lane * $Q + lane] += sum;
  }
  workgroupBarrier();
  if (lane < rows) {
    var through = 0.0;
    for (var i = 0u; i < ${Q / 4}; i++) { through += inner[i]; }
    var da = exp(last) * through;
    var u = 0.0;
    for (var m = 0u; m < ${N / 16}; m++) { u += through_b[lane * ${N / 16} + m]; }
    for (var j = 0u; j < lane; j++) {
      var u_j = 0.0;
      for (var m = 0u; m < ${N / 16}; m++) { u_j += through_b[j * ${N / 16} + m]; }
      da += pair_h[lane * $Q + j] + deltas[j] * u_j;
    }
    for (var i = lane; i < rows; i++) {
      for (var m = 0u; m < ${N / 16}; m++) { da += through_c[i * ${N / 16} + m]; }
    }
    let to = ((b * $L + row_of(first + lane)) * $H + h) * ${2 * N + 3} + ${2 * N};
    write_parts(to, da);
    // The column's whole sum, the diagonal's pair included.
    write_parts(to + 1, pair_h[lane * $Q + lane] + u);
  }
#end
