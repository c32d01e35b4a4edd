// Backward pass of ssd_scan.wgsl; names as there, G = dy, dS' the cotangent of the state that leaves the chunk.
//   L_ij = e^{s_i − s_j} for i ≥ j, M = L ∘ CBᵀ, K = L ∘ G xᵀ, H = M ∘ G xᵀ (Δ_j is left out of all four),
//   dx_j = Δ_j (Σ_i M_ij G_i + e^{s_Q − s_j} B_j dS') + D G_j
//   dC_i = Σ_j K_ij Δ_j B_j + e^{s_i} G_i Sᵀ,  dB_j = Δ_j (Σ_i K_ij C_i + e^{s_Q − s_j} x_j dS'ᵀ)
//   da_t = Σ_{i ≥ t > j} H_ij Δ_j + Σ_{i ≥ t} C_i · e^{s_i} G_i Sᵀ + Σ_{j < t} Δ_j u_j + e^{s_Q} ⟨S, dS'⟩,
//   u_j = e^{s_Q − s_j} B_j · x_j dS'ᵀ,  dΔ_t = A da_t + Σ_i H_it + u_t,  dA = Σ Δ da,  dD_t = G_t · x_t.
// da is summed from the pairs that decay over t, never as a difference of totals, which would lose a small da.
// INPUT: a workgroup owns a chunk of a head, M in its memory (4 KiB), and writes dx. PARTS: the same with K and H
// (8 KiB); both have 4 KiB more for what ssd_products.wgsl stages; per row and head it writes dB, dC, da, what multiplies Δ directly, and dD: parts [b, l, H, 2·N + 3].
// ROWS adds dB and dC over the heads of a group, and writes ddt; HEADS adds dA, dD and ddt_bias over all rows.
// Per chunk and head Q²(2·N + P) + 4·Q·N·P multiply-adds in PARTS, Q²(N + P)/2 + Q·N·P in INPUT.

#if INPUT || PARTS
var<workgroup> sums: array<f32, $Q>;
var<workgroup> deltas: array<f32, $Q>;
#if INPUT
var<workgroup> mix: array<f32, ${Q * Q}>;
#else
var<workgroup> pair_k: array<f32, ${Q * Q}>;
var<workgroup> pair_h: array<f32, ${Q * Q}>;
var<workgroup> through_c: array<f32, ${Q * NT}>;
var<workgroup> through_b: array<f32, ${Q * NT}>;
var<workgroup> inner: array<f32, 64>;
#end

#main workgroup group
  let h = group % $H;
  let chunk = group / $H % $CHUNKS;
  let b = group / ${H * CHUNKS};
  turn(h);
  let first = chunk * $Q;
  let rows = min(${Q}u, $L - first);
  if (lane < rows) {
    let step = ((b * $H + h) * $L + first + lane) * 2;
    deltas[lane] = read_steps(step);
    sums[lane] = read_steps(step + 1);
  }
  let side_b = b_of(h);
  let side_c = c_of(h);
  let i0 = lane / 8 * 4;
  let j0 = lane % 8 * 4;
  let at = Chunk(group, b, h, first, rows, 0);
#for s in 0..1+PARTS
  {
#if PARTS && s == 0
    // One product after the other: sums of both at once were too many registers for Intel.
    let product = product_1(lane, at);
#else
    let product = product_0(lane, at);
#end
#if !PARTS || s == 0
    let s_j = vec4f(
      sums[min(j0, rows - 1)], sums[min(j0 + 1, rows - 1)], sums[min(j0 + 2, rows - 1)], sums[min(j0 + 3, rows - 1)]);
#end
#for k in 0..4
    {
      let to = (i0 + $k) * $Q + j0;
#if PARTS && s == 1
#for m in 0..4
      pair_h[to + $m] = pair_k[to + $m] * product[$k][$m];
#end
#else
      let decay = exp(min(sums[min(i0 + $k, rows - 1)] - s_j, vec4f()));
      let seen = (vec4u(j0, j0 + 1, j0 + 2, j0 + 3) <= vec4u(i0 + $k)) & vec4<bool>(i0 + $k < rows);
      let pair = select(vec4f(), product[$k] * decay, seen);
#for m in 0..4
#if PARTS
      pair_k[to + $m] = pair[$m];
#else
      mix[to + $m] = pair[$m];
#end
#end
#if PARTS
      // The diagonal's decay is 1, so its pairs are dD.
      if (i0 == j0 && i0 + $k < rows) {
        write_parts(((b * $L + row_of(first + i0 + $k)) * $H + h) * ${2 * N + 3} + ${2 * N + 2}, product[$k][$k]);
      }
#end
#end
    }
#end
  }
#end
#if PARTS
  var product = 0.0;
  for (var i = lane * 4; i < ${N * P}; i += 256u) {
    let value = group * ${N * P} + i;
    product += dot(states_four(value, ${N * P} - i), dstates_four(value, ${N * P} - i));
  }
  inner[lane] = product;
#end
  workgroupBarrier();
  let last = sums[rows - 1];
#if INPUT
  for (var round = 0u; round < ${(PT * Q / 4 + 63) / 64}; round++) {
    let tile = round * 64 + lane;
    let j = tile / $PT * 4;
    let p = tile % $PT * 4;
    let column = h * $P + p;
#for k in 0..4
    var sum_$k = vec4f();
#end
    for (var start = 0u; start < $N_END; start += $BLOCK) {
      stage_1(lane, at, start);
      for (var v = 0u; v < $BLOCK_END; v++) {
        let left = right_block[v * ${Q / 4} + min(j / 4, ${Q / 4 - 1}u)];
        let value = dstates_four((group * $N + min(start + v, ${N - 1}u)) * $P + p, $P - p);
#for k in 0..4
        sum_$k = fma(vec4f(left[$k]), value, sum_$k);
#end
      }
    }
    if (j < rows) {
#for k in 0..4
      sum_$k *= exp(last - sums[min(j + $k, rows - 1)]);
#end
      for (var i = j; i < rows; i++) {
        let value = dy_four((b * $L + row_of(first + i)) * $D + column, $P - p);
#for k in 0..4
        sum_$k = fma(vec4f(mix[i * $Q + j + $k]), value, sum_$k);
#end
      }
#for k in 0..4
      if (j + $k < rows) {
        let row = b * $L + row_of(first + j + $k);
        let dy = dy_four(row * $D + column, $P - p);
        dxbc_put(row * $WIDTH + x_of(h) + p, $P - p, fma(vec4f(deltas[j + $k]), sum_$k, read_D_skip(h) * dy));
      }
#end
    }
  }
#else
  for (var states = 0u; states < $N_END; states += 16u) {
    let these = Chunk(group, b, h, first, rows, states);
#for side in 0..2
    {
      let product = product_${2 + side}(lane, these);
      let t = lane / 4 * 2;
      let n = states + lane % 4 * 4;
      if (t < rows && n < $N) {
#for k in 0..2
        let row_$k = b * $L + row_of(first + min(t + $k, rows - 1));
        // Values beyond the last state are read as 0.
#if side == 0
        var sum_$k = product[$k] * exp(sums[min(t + $k, rows - 1)]);
        through_c[(t + $k) * $NT + n / 4] = dot(xbc_four(row_$k * $WIDTH + side_c + n, $N - n), sum_$k);
#else
        var sum_$k = product[$k] * exp(last - sums[min(t + $k, rows - 1)]);
        through_b[(t + $k) * $NT + n / 4] = dot(xbc_four(row_$k * $WIDTH + side_b + n, $N - n), sum_$k);
#end
#end
#if side == 0
        for (var j = 0u; j < min(t + 2, rows); j++) {
          let value = deltas[j] * xbc_four((b * $L + row_of(first + j)) * $WIDTH + side_b + n, $N - n);
#for k in 0..2
          sum_$k = fma(vec4f(pair_k[(t + $k) * $Q + j]), value, sum_$k);
#end
        }
#else
        for (var i = t; i < rows; i++) {
          let value = xbc_four((b * $L + row_of(first + i)) * $WIDTH + side_c + n, $N - n);
#for k in 0..2
          sum_$k = fma(vec4f(pair_k[i * $Q + t + $k]), value, sum_$k);
#end
        }
#end
#for k in 0..2
        if (t + $k < rows) {
#if side == 0
          let to = (row_$k * $H + h) * ${2 * N + 3} + ${N}u + n;
          let part = sum_$k;
#else
          let to = (row_$k * $H + h) * ${2 * N + 3} + n;
          let part = deltas[t + $k] * sum_$k;
#end
#for m in 0..4
          if (n + $m < $N) { write_parts(to + $m, part[$m]); }
#end
        }
#end
      }
    }
#end
  }
  // Σ over i ≥ t of the pairs of column j, for every t, in place.
  if (lane < rows) {
    var sum = 0.0;
    for (var i = rows - 1; i > lane; i--) {
      sum += pair_h[i * $Q + lane];
      pair_h[i * $Q + lane] = sum * deltas[lane];
    }
    pair_h[lane * $Q + lane] += sum;
  }
  workgroupBarrier();
  if (lane < rows) {
    var through = 0.0;
    for (var i = 0u; i < 64; i++) { through += inner[i]; }
    var da = exp(last) * through;
    var u = 0.0;
    for (var m = 0u; m < $NT; m++) { u += through_b[lane * $NT + m]; }
    for (var j = 0u; j < lane; j++) {
      var u_j = 0.0;
      for (var m = 0u; m < $NT; m++) { u_j += through_b[j * $NT + m]; }
      da += pair_h[lane * $Q + j] + deltas[j] * u_j;
    }
    for (var i = lane; i < rows; i++) {
      for (var m = 0u; m < $NT; m++) { da += through_c[i * $NT + m]; }
    }
    let to = ((b * $L + row_of(first + lane)) * $H + h) * ${2 * N + 3} + ${2 * N};
    write_parts(to, da);
    // The column's whole sum, the diagonal's pair included.
    write_parts(to + 1, pair_h[lane * $Q + lane] + u);
  }
#end
#end
#end

#if ROWS
#main thread i
  let column = i % ${2 * G * N + H};
  let row = i / ${2 * G * N + H};
  if (column < ${2 * G * N}) {
    let g = column / $N % $G;
    let n = column % $N;
    let of_c = column >= ${G * N};
    let first = g * ${H / G};
    let part = n + select(0u, ${N}u, of_c);
    let sum = sum_in_order((row * $H + first) * ${2 * N + 3} + part, ${2 * N + 3}, ${H / G}, lane);
    write_dxbc(row * $WIDTH + select(b_of(first), c_of(first), of_c) + n, sum);
  } else {
    let h = column - ${2 * G * N};
#if BIAS
    let raw = read_dt(row * $H + h) + read_dt_bias(h);
#else
    let raw = read_dt(row * $H + h);
#end
    let at = (row * $H + h) * ${2 * N + 3} + ${2 * N};
    write_ddt(row * $H + h, fma(read_A(h), read_parts(at), read_parts(at + 1)) * sigmoid(raw));
  }
#end
#end

#if HEADS
var<workgroup> lane_sums: array<vec3f, $WORKGROUP>;

#main workgroup h
  var sum = vec3f();
  for (var row = lane; row < ${BATCH * L}; row += ${8 * WORKGROUP}u) {
#for k in 0..8
    let i_$k = min(row + ${k * WORKGROUP}, ${BATCH * L - 1}u) * $H + h;
    let at_$k = i_$k * ${2 * N + 3} + ${2 * N};
    let dt_$k = read_dt(i_$k);
    let parts_$k = vec3f(read_parts(at_$k), read_parts(at_$k + 2), read_ddt(i_$k));
#end
#for k in 0..8
#if BIAS
    let delta_$k = softplus(dt_$k + read_dt_bias(h));
#else
    let delta_$k = softplus(dt_$k);
#end
    sum += select(vec3f(), vec3f(delta_$k, 1.0, 1.0) * parts_$k, row + ${k * WORKGROUP} < ${BATCH * L});
#end
  }
  lane_sums[lane] = sum;
  for (var half = ${WORKGROUP / 2}u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { lane_sums[lane] += lane_sums[lane + half]; }
  }
  if (lane > 0) { return; }
  write_dA(h, lane_sums[0].x);
  write_dD(h, lane_sums[0].y);
#if BIAS
  write_ddt_bias(h, lane_sums[0].z);
#end
#end
#end
