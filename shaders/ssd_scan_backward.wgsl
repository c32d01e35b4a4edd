// Backward pass of ssd_scan.wgsl; names as there, G = dy, dS' the cotangent of the state that leaves the chunk.
//   L_ij = e^{s_i − s_j} for i ≥ j, M = L ∘ CBᵀ, K = L ∘ G xᵀ, H = M ∘ G xᵀ (Δ_j is left out of all four),
//   dx_j = Δ_j (Σ_i M_ij G_i + e^{s_Q − s_j} B_j dS') + D G_j
//   dC_i = Σ_j K_ij Δ_j B_j + e^{s_i} G_i Sᵀ,  dB_j = Δ_j (Σ_i K_ij C_i + e^{s_Q − s_j} x_j dS'ᵀ)
//   da_t = Σ_{i ≥ t > j} H_ij Δ_j + Σ_{i ≥ t} C_i · e^{s_i} G_i Sᵀ + Σ_{j < t} Δ_j u_j + e^{s_Q} ⟨S, dS'⟩,
//   u_j = e^{s_Q − s_j} B_j · x_j dS'ᵀ,  dΔ_t = A da_t + Σ_i H_it + u_t,  dA = Σ Δ da,  dD_t = G_t · x_t.
// da is summed from the pairs that decay over t, never as a difference of totals, which would lose a small da.
// INPUT: a workgroup owns a chunk of a head, M in its memory (4 KiB), and writes dx. PARTS: the same with K and H
// (8 KiB); per row and head it writes dB, dC, da, what multiplies Δ directly, and dD: parts [b, l, H, 2·N + 3].
// GROUPS adds dB and dC over the heads of a group; DELTA writes ddt; HEADS adds dA, dD and ddt_bias over all rows.
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
  let first = chunk * $Q;
  let rows = min(${Q}u, $L - first);
  if (lane < rows) {
    let at = ((b * $H + h) * $L + first + lane) * 2;
    deltas[lane] = read_steps(at);
    sums[lane] = read_steps(at + 1);
  }
  workgroupBarrier();
  let side_b = $D + h / ${H / G} * $N;
  let side_c = side_b + ${G * N};
  let i0 = lane / 8 * 4;
  let j0 = lane % 8 * 4;
#for k in 0..4
  let i_$k = min(i0 + $k, rows - 1);
  let j_$k = min(j0 + $k, rows - 1);
  let irow_$k = b * $L + row_of(first + i_$k);
  let jrow_$k = b * $L + row_of(first + j_$k);
#end
  let s_j = vec4f(sums[j_0], sums[j_1], sums[j_2], sums[j_3]);
#if PARTS
  // One product after the other: sums of both at once were too many registers for Intel.
  {
#for k in 0..4
    var gx_$k = vec4f();
#end
    if (i0 >= j0) {
      for (var p = 0u; p < $P_END; p += 4) {
#for m in 0..4
        let right_$m = xbc_four(jrow_$m * $WIDTH + h * $P + p, $P - p);
#end
#for k in 0..4
        {
          let left = dy_four(irow_$k * $D + h * $P + p, $P - p);
          gx_$k += vec4f(dot(left, right_0), dot(left, right_1), dot(left, right_2), dot(left, right_3));
        }
#end
      }
    }
#for k in 0..4
    {
      let decay = exp(min(sums[i_$k] - s_j, vec4f()));
      let seen = (vec4u(j0, j0 + 1, j0 + 2, j0 + 3) <= vec4u(i0 + $k)) & vec4<bool>(i0 + $k < rows);
      let pair = select(vec4f(), gx_$k * decay, seen);
#for m in 0..4
      pair_k[(i0 + $k) * $Q + j0 + $m] = pair[$m];
#end
      // The diagonal's decay is 1, so its pairs are dD.
      if (i0 == j0 && i0 + $k < rows) { write_parts((irow_$k * $H + h) * ${2 * N + 3} + ${2 * N + 2}, gx_$k[$k]); }
    }
#end
  }
#end
#for k in 0..4
  var cb_$k = vec4f();
#end
  if (i0 >= j0) {
    for (var n = 0u; n < $N_END; n += 4) {
#for m in 0..4
      let right_$m = xbc_four(jrow_$m * $WIDTH + side_b + n, $N - n);
#end
#for k in 0..4
      {
        let left = xbc_four(irow_$k * $WIDTH + side_c + n, $N - n);
        cb_$k += vec4f(dot(left, right_0), dot(left, right_1), dot(left, right_2), dot(left, right_3));
      }
#end
    }
  }
#for k in 0..4
  {
    let at = (i0 + $k) * $Q + j0;
#if INPUT
    let decay = exp(min(sums[i_$k] - s_j, vec4f()));
    let seen = (vec4u(j0, j0 + 1, j0 + 2, j0 + 3) <= vec4u(i0 + $k)) & vec4<bool>(i0 + $k < rows);
    let m = select(vec4f(), cb_$k * decay, seen);
#for m in 0..4
    mix[at + $m] = m[$m];
#end
#else
#for m in 0..4
    pair_h[at + $m] = pair_k[at + $m] * cb_$k[$m];
#end
#end
  }
#end
#if PARTS
  var product = 0.0;
  for (var i = lane * 4; i < ${N * P}; i += 256u) {
    let at = group * ${N * P} + i;
    product += dot(states_four(at, ${N * P} - i), dstates_four(at, ${N * P} - i));
  }
  inner[lane] = product;
#end
  workgroupBarrier();
  let last = sums[rows - 1];
#if INPUT
  for (var tile = lane; tile < ${PT * Q / 4}; tile += 64u) {
    let j = tile / $PT * 4;
    let p = tile % $PT * 4;
    if (j >= rows) { continue; }
    let column = h * $P + p;
#for k in 0..4
    let row_$k = b * $L + row_of(first + min(j + $k, rows - 1));
    var sum_$k = vec4f();
#end
    for (var n = 0u; n < $N_END; n += 4) {
#for e in 0..4
      let value_$e = dstates_four((group * $N + min(n + $e, ${N - 1})) * $P + p, $P - p);
#end
#for k in 0..4
      {
        let left = xbc_four(row_$k * $WIDTH + side_b + n, $N - n);
#for e in 0..4
        sum_$k = fma(vec4f(left[$e]), value_$e, sum_$k);
#end
      }
#end
    }
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
      let dy = dy_four(row_$k * $D + column, $P - p);
      dxbc_put(row_$k * $WIDTH + column, $P - p, fma(vec4f(deltas[j + $k]), sum_$k, read_D_skip(h) * dy));
    }
#end
  }
#else
  for (var tile = lane; tile < ${NT * Q / 4}; tile += 64u) {
    let t = tile / $NT * 4;
    let n = tile % $NT * 4;
    if (t >= rows) { continue; }
#for k in 0..4
    let state_$k = (group * $N + min(n + $k, ${N - 1})) * $P;
    let row_$k = b * $L + row_of(first + min(t + $k, rows - 1));
#end
    {
#for k in 0..4
      var c_$k = vec4f();
#end
      for (var p = 0u; p < $P_END; p += 4) {
#for m in 0..4
        let value_$m = states_four(state_$m + p, $P - p);
#end
#for k in 0..4
        {
          let left = dy_four(row_$k * $D + h * $P + p, $P - p);
          c_$k += vec4f(dot(left, value_0), dot(left, value_1), dot(left, value_2), dot(left, value_3));
        }
#end
      }
#for k in 0..4
      c_$k *= exp(sums[min(t + $k, rows - 1)]);
      // Values beyond the last state are read as 0.
      through_c[(t + $k) * $NT + tile % $NT] = dot(xbc_four(row_$k * $WIDTH + side_c + n, $N - n), c_$k);
#end
      for (var j = 0u; j < min(t + 4, rows); j++) {
        let value = deltas[j] * xbc_four((b * $L + row_of(first + j)) * $WIDTH + side_b + n, $N - n);
#for k in 0..4
        c_$k = fma(vec4f(pair_k[(t + $k) * $Q + j]), value, c_$k);
#end
      }
#for k in 0..4
      if (t + $k < rows) {
        let to = (row_$k * $H + h) * ${2 * N + 3} + ${N}u + n;
#for m in 0..4
        if (n + $m < $N) { write_parts(to + $m, c_$k[$m]); }
#end
      }
#end
    }
    {
#for k in 0..4
      var b_$k = vec4f();
#end
      for (var p = 0u; p < $P_END; p += 4) {
#for m in 0..4
        let value_$m = dstates_four(state_$m + p, $P - p);
#end
#for k in 0..4
        {
          let left = xbc_four(row_$k * $WIDTH + h * $P + p, $P - p);
          b_$k += vec4f(dot(left, value_0), dot(left, value_1), dot(left, value_2), dot(left, value_3));
        }
#end
      }
#for k in 0..4
      b_$k *= exp(last - sums[min(t + $k, rows - 1)]);
      through_b[(t + $k) * $NT + tile % $NT] = dot(xbc_four(row_$k * $WIDTH + side_b + n, $N - n), b_$k);
#end
      for (var i = t; i < rows; i++) {
        let value = xbc_four((b * $L + row_of(first + i)) * $WIDTH + side_c + n, $N - n);
#for k in 0..4
        b_$k = fma(vec4f(pair_k[i * $Q + t + $k]), value, b_$k);
#end
      }
#for k in 0..4
      if (t + $k < rows) {
        let to = (row_$k * $H + h) * ${2 * N + 3} + n;
#for m in 0..4
        if (n + $m < $N) { write_parts(to + $m, deltas[t + $k] * b_$k[$m]); }
#end
      }
#end
    }
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

#if GROUPS
#main thread i
  let column = i % ${2 * G * N};
  let row = i / ${2 * G * N};
  let g = column / $N % $G;
  let part = column / ${G * N} * $N + column % $N;
  var sum = 0.0;
  for (var h = g * ${H / G}; h < g * ${H / G} + ${H / G}; h++) { sum += read_parts((row * $H + h) * ${2 * N + 3} + part); }
  write_dxbc(row * $WIDTH + $D + column, sum);
#end
#end

#if DELTA
#main thread i
#if BIAS
  let raw = read_dt(i) + read_dt_bias(i % $H);
#else
  let raw = read_dt(i);
#end
  let at = i * ${2 * N + 3} + ${2 * N};
  write_ddt(i, fma(read_A(i % $H), read_parts(at), read_parts(at + 1)) * sigmoid(raw));
#end
#end

#if HEADS
var<workgroup> lane_sums: array<vec3f, 64>;

#main workgroup h
  var sum = vec3f();
  for (var row = lane; row < ${BATCH * L}; row += 64u) {
    let i = row * $H + h;
    let at = i * ${2 * N + 3} + ${2 * N};
#if BIAS
    let delta = softplus(read_dt(i) + read_dt_bias(h));
#else
    let delta = softplus(read_dt(i));
#end
    sum += vec3f(delta * read_parts(at), read_parts(at + 2), read_ddt(i));
  }
  lane_sums[lane] = sum;
  for (var half = 32u; half > 0; half /= 2) {
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
