// The scan of Mamba-2 by chunks of Q steps (state-space duality, Dao & Gu 2024, arXiv:2405.21060, §6), forward.
// Per batch element and head, with a_t = Δ_t A and s the running sum of a inside a chunk:
//   Y = M X + e^s ∘ (C S) + D x,  M_ij = e^{s_i − s_j} Δ_j (C_i · B_j) for i ≥ j,
//   S' = e^{s_Q} S + Σ_j e^{s_Q − s_j} Δ_j B_j x_jᵀ,
// S [N, P] the state that enters the chunk, S' the one that leaves it.
// xbc [b, l, H·P + 2·G·N] holds x, B and C side by side; dt [b, l, H]; A, D, dt_bias [H]; steps [b, H, l, 2]: Δ and s in
// the order of the scan; states [b, chunks, H, N, P]. ssd_rows.wgsl has the order of rows.
// STEPS: a thread owns a chunk of a head. STATES: a workgroup owns a chunk of a head, a thread 4×4 of [N, P], and writes steps; with
// ADJOINT it is Σ_i e^{s_i} C_i dy_iᵀ, what the outputs say of the state that entered. CARRY: a thread owns one value of
// the state and walks the chunks. OUTPUT: a workgroup owns a chunk of a head, M lies in its memory (4 KiB, and 4 for what
// ssd_products.wgsl stages), a thread computes 4 steps × 4 channels.
// NAME_four(at, left) reads four values, `left` of which exist, and NAME_put writes them (ssd_scan_shared.ts).
// Per chunk and head Q²(N + P)/2 + 3·Q·N·P multiply-adds; every tensor is read once, B and C once a head.

#if STEPS
#if BIAS
fn delta_of(row: u32, h: u32) -> f32 { return softplus(read_dt(row * $H + h) + read_dt_bias(h)); }
#else
fn delta_of(row: u32, h: u32) -> f32 { return softplus(read_dt(row * $H + h)); }
#end
#end

#if STEPS && !STATES
#main thread i
  let chunk = i % $CHUNKS;
  let line = i / $CHUNKS;
  let h = line % $H;
  let b = line / $H;
  turn(h);
  var s = 0.0;
  for (var step = chunk * $Q; step < min(chunk * $Q + $Q, ${L}u); step++) {
    let delta = delta_of(b * $L + row_of(step), h);
    s += delta * read_A(h);
    write_steps((line * $L + step) * 2, delta);
    write_steps((line * $L + step) * 2 + 1, s);
  }
#end
#end

#if STATES
var<workgroup> weights: array<f32, $Q>;
#if STEPS
var<workgroup> deltas: array<f32, $Q>;
#end

#main workgroup group
  let h = group % $H;
  let chunk = group / $H % $CHUNKS;
  let b = group / ${H * CHUNKS};
  turn(h);
  let first = chunk * $Q;
  let rows = min(${Q}u, $L - first);
  let at = ((b * $H + h) * $L + first) * 2;
#if STEPS
  if (lane < rows) { deltas[lane] = delta_of(b * $L + row_of(first + lane), h); }
  workgroupBarrier();
  var s = 0.0;
  var last = 0.0;
  // Every lane adds all of them, in order.
  for (var i = 0u; i < rows; i++) {
    last += deltas[i] * read_A(h);
    if (i == lane) { s = last; }
  }
  if (lane < rows) {
    write_steps(at + lane * 2, deltas[lane]);
    write_steps(at + lane * 2 + 1, s);
    weights[lane] = exp(last - s) * deltas[lane];
  }
#else
  if (lane < rows) { weights[lane] = exp(read_steps(at + lane * 2 + 1)); }
#end
  workgroupBarrier();
#if ADJOINT
  let side = c_of(h);
#else
  let side = b_of(h);
#end
  for (var tile = lane; tile < ${NT * PT}; tile += 64u) {
    let n = tile / $PT * 4;
    let p = tile % $PT * 4;
#for k in 0..4
    var sum_$k = vec4f();
#end
    for (var i = 0u; i < rows; i++) {
      let row = b * $L + row_of(first + i);
#if ADJOINT
      let value = weights[i] * dy_four(row * $D + h * $P + p, $P - p);
#else
      let value = weights[i] * xbc_four(row * $WIDTH + x_of(h) + p, $P - p);
#end
      let left = xbc_four(row * $WIDTH + side + n, $N - n);
#for k in 0..4
      sum_$k = fma(vec4f(left[$k]), value, sum_$k);
#end
    }
#for k in 0..4
    if (n + $k < $N) { states_put((group * $N + n + $k) * $P + p, $P - p, sum_$k); }
#end
  }
#end
#end

#if CARRY
#main thread i
  let value = i % ${H * N * P};
  let h = value / ${N * P};
  let b = i / ${H * N * P};
  var state = 0.0;
  for (var k = 0u; k < $CHUNKS; k++) {
#if ADJOINT
    let chunk = ${CHUNKS - 1}u - k;
#else
    let chunk = k;
#end
    let at = (b * $CHUNKS + chunk) * ${H * N * P} + value;
    let last = min(chunk * $Q + $Q, ${L}u) - 1;
    let added = read_states(at);
    write_states(at, state);
    state = fma(exp(read_steps(((b * $H + h) * $L + last) * 2 + 1)), state, added);
  }
#end
#end

#if OUTPUT
var<workgroup> mix: array<f32, ${Q * Q}>;
var<workgroup> sums: array<f32, $Q>;

#main workgroup group
  let h = group % $H;
  let chunk = group / $H % $CHUNKS;
  let b = group / ${H * CHUNKS};
  turn(h);
  let first = chunk * $Q;
  let rows = min(${Q}u, $L - first);
  let line = ((b * $H + h) * $L + first) * 2;
  if (lane < rows) { sums[lane] = read_steps(line + lane * 2 + 1); }
  let at = Chunk(group, b, h, first, rows, 0);
  let cb = product_0(lane, at);
  let i0 = lane / 8 * 4;
  let j0 = lane % 8 * 4;
#for k in 0..4
  let j_$k = min(j0 + $k, rows - 1);
#end
  let s_j = vec4f(sums[j_0], sums[j_1], sums[j_2], sums[j_3]);
  let delta = vec4f(read_steps(line + j_0 * 2), read_steps(line + j_1 * 2), read_steps(line + j_2 * 2), read_steps(line + j_3 * 2));
#for k in 0..4
  {
    let decay = exp(min(sums[min(i0 + $k, rows - 1)] - s_j, vec4f()));
    let seen = vec4u(j0, j0 + 1, j0 + 2, j0 + 3) <= vec4u(i0 + $k);
    let value = select(vec4f(), cb[$k] * decay * delta, seen);
#for m in 0..4
    mix[(i0 + $k) * $Q + j0 + $m] = value[$m];
#end
  }
#end
  for (var round = 0u; round < ${(PT * Q / 4 + 63) / 64}; round++) {
    let tile = round * 64 + lane;
    let i = tile / $PT * 4;
    let p = tile % $PT * 4;
#for k in 0..4
    var sum_$k = vec4f();
#end
    for (var start = 0u; start < $N_END; start += $BLOCK) {
      stage_0(lane, at, start);
      for (var v = 0u; v < $BLOCK_END; v++) {
        let left = left_block[v * ${Q / 4} + min(i / 4, ${Q / 4 - 1}u)];
        let value = states_four((group * $N + min(start + v, ${N - 1}u)) * $P + p, $P - p);
#for k in 0..4
        sum_$k = fma(vec4f(left[$k]), value, sum_$k);
#end
      }
    }
    if (i < rows) {
#for k in 0..4
      sum_$k *= exp(sums[min(i + $k, rows - 1)]);
#end
      for (var j = 0u; j < min(i + 4, rows); j++) {
        let value = xbc_four((b * $L + row_of(first + j)) * $WIDTH + x_of(h) + p, $P - p);
#for k in 0..4
        sum_$k = fma(vec4f(mix[(i + $k) * $Q + j]), value, sum_$k);
#end
      }
#for k in 0..4
      if (i + $k < rows) {
        let row = b * $L + row_of(first + i + $k);
        let x = xbc_four(row * $WIDTH + x_of(h) + p, $P - p);
        y_put(row * $D + h * $P + p, $P - p, fma(vec4f(read_D_skip(h)), x, sum_$k));
      }
#end
    }
  }
#end
#end
