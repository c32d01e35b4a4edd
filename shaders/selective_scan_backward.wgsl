// Selective scan of Mamba-1, backward. With dy' the cotangent of C·h (the gate already applied), from the last step on:
//   g_t = dy'_t C_t + a_{t+1} g_{t+1}, a_t = exp(Δ_t A)
//   du_t = Δ_t Σ_n g B;  dΔ_t = Σ_n g (u B + A a h_{t−1});  dA = Σ_t g Δ a h_{t−1};  dB = Σ_d g Δ u;  dC = Σ_d dy' h
// HOLD writes w B u instead of Δ B u (selective_scan_hold.wgsl): du = Σ_n g w B;  dΔ = Σ_n g a (u B + A h_{t−1});
//   dA = Σ_t g (Δ a h_{t−1} + B u ∂w/∂A);  dB = Σ_d g w u
// No state is stored per step: an interval's states are recomputed from its start (`states`; slot 0 carries A), first
// to note the start of each tile of TILE steps, then tile by tile from the last, TILE states at a time in registers.
// A thread owns CHANNELS channels and all their states; lanes lie along channels. dB and dC sum over channels: over a
// thread's own channels, then the quad (QUAD), then the workgroup through `stage`, then over the PASSES blocks of
// channels that a workgroup walks one after another, and the PARTS workgroups of a (batch, chunk) leave one partial
// each. All in a fixed order.
// On entry ddelta holds Δ and, without DIRECT, du holds dy'; each is overwritten by its gradient at the place it was
// read from. DIRECT (ten storage buffers) reads dy and z itself and writes du and dz whole; without it (eight) dz receives
// C·h, and selective_scan_prepare.wgsl runs before and after.
// work: partial dB, dC [parts, b, l, 2n]; then carries in, dA out [b·chunks, d, n]; then dD and dbias [b·chunks, d, 2];
// then, with DIRECT, D [d].
// Alone it walks all of time; for CHUNKS > 1 selective_scan_backward_chunks.wgsl has left g at each interval's end.
// TAIL (l not a multiple of TILE) and RAGGED (d not a multiple of all lanes) add the checks that those need: a branch
// among this many live values is dear on a CPU-backed adapter, to compile and to run.
// FLOPs about 30 per (b, l, d, n), three of them exp (two with one tile an interval).
// Tried: T = 4 and 8, one and two channels a thread. More channels mean fewer loads of B and C and fewer partial sums
// per channel, but more registers.

// No branch: unrolled among hundreds of live values, it would cost a CPU-backed compiler minutes.
fn add_partial(at: u32, value: f32, pass_index: u32) {
#if PASSES > 1
  write_work(at, value + select(read_work(at), 0.0, pass_index == 0));
#else
  write_work(at, value);
#end
}

#if STAGED
var<workgroup> stage: array<f32, ${SLOTS * TILE * 2 * N}>;
#end

#main workgroup group
  let part = group % $PARTS;
  let chunk = group / $PARTS % $CHUNKS;
  let batch = group / ${PARTS * CHUNKS};
#if QUAD
  let quarter = lane % 4;
#end
#if CHUNKS > 1
  let interval0 = chunk;
  let interval1 = chunk + 1;
#else
  let interval0 = 0u;
  let interval1 = ${INTERVALS}u;
#end
  var starts: array<f32, ${INTERVAL / TILE * CHANNELS * N}>;
  for (var pass_index = 0u; pass_index < $PASSES; pass_index++) {
#for c in 0..CHANNELS
    let own_$c = part * ${PASSES * LANES * CHANNELS} + pass_index * ${LANES * CHANNELS} + ${c * LANES} + lane;
#if RAGGED
    let channel_$c = min(own_$c, ${D - 1}u);
#else
    let channel_$c = own_$c;
#end
    // A lane beyond the last channel repeats that channel with dy' = 0, so that all it adds is 0.
#if RAGGED
    let mask_$c = select(0.0, 1.0, own_$c < $D);
#else
    let mask_$c = 1.0;
#end
    var ddskip_$c = 0.0;
    var dbias_$c = 0.0;
#if DIRECT
#if HAS_D
    let skip_$c = read_work($SKIP + channel_$c);
#else
    let skip_$c = 0.0;
#end
#end
#for n in 0..N
    let a_${c}_$n = read_states(channel_$c * $N + $n) * LOG2E;
    var da_${c}_$n = 0.0;
#if CHUNKS > 1
    var g_${c}_$n = mask_$c * read_work($CARRIES + ((batch * $CHUNKS + chunk) * $D + channel_$c) * $N + $n);
#else
    var g_${c}_$n = 0.0;
#end
#end
#end
    for (var interval = interval1; interval > interval0;) {
      interval--;
      let first = interval * $INTERVAL;
      let end = min(first + $INTERVAL, ${L}u);
      let tiles = (end - first + ${TILE - 1}) / $TILE;
#for c in 0..CHANNELS
#for n in 0..N
      var s_${c}_$n = 0.0;
#end
#end
      if (interval > 0) {
#for c in 0..CHANNELS
#for n in 0..N
        s_${c}_$n = read_states(((batch * $INTERVALS + interval) * $D + channel_$c) * $N + $n);
#end
#end
      }
      for (var tile = 0u; tile < tiles; tile++) {
#for c in 0..CHANNELS
#for n in 0..N
        starts[tile * ${CHANNELS * N} + ${c * N + n}] = s_${c}_$n;
#end
#end
        // The last tile's steps are not needed here: the walk back starts with them.
        if (tile + 1 < tiles) {
          for (var t = first + tile * $TILE; t < first + tile * $TILE + $TILE; t++) {
            let row = batch * $L + t;
#if QUAD
#for i in 0..N/4
            let bq_$i = read_b(row * $N + ${4 * i} + quarter);
#end
#end
#for n in 0..N
#if QUAD
            let b_$n = quadBroadcast(bq_${n / 4}, ${n % 4}u);
#else
            let b_$n = read_b(row * $N + $n);
#end
#end
#for c in 0..CHANNELS
            let delta_$c = read_ddelta(row * $D + channel_$c);
#if HOLD
            let u_$c = read_u(row * $D + channel_$c);
#else
            let x_$c = delta_$c * read_u(row * $D + channel_$c);
#end
#for n in 0..N
#if HOLD
            let decay_${c}_$n = exp2(delta_$c * a_${c}_$n);
            let w_${c}_$n = write_weight(delta_$c, a_${c}_$n, decay_${c}_$n);
            s_${c}_$n = fma(decay_${c}_$n, s_${c}_$n, w_${c}_$n * u_$c * b_$n);
#else
            s_${c}_$n = fma(exp2(delta_$c * a_${c}_$n), s_${c}_$n, x_$c * b_$n);
#end
#end
#end
          }
        }
      }
      for (var tile = tiles; tile > 0;) {
        tile--;
        let t0 = first + tile * $TILE;
#for t in 0..TILE
        // Steps beyond the interval's end count as Δ = 0 and dy' = 0: they change nothing.
#if TAIL
        let valid_$t = t0 + $t < end;
        let row_$t = batch * $L + min(t0 + $t, ${L - 1}u);
#else
        let valid_$t = true;
        let row_$t = batch * $L + t0 + $t;
#end
#if QUAD
#for i in 0..N/4
        let bq_${t}_$i = read_b(row_$t * $N + ${4 * i} + quarter);
        let cq_${t}_$i = read_c(row_$t * $N + ${4 * i} + quarter);
#end
#end
#for n in 0..N
#if QUAD
        let b_${t}_$n = quadBroadcast(bq_${t}_${n / 4}, ${n % 4}u);
        let c_${t}_$n = quadBroadcast(cq_${t}_${n / 4}, ${n % 4}u);
#else
        let b_${t}_$n = read_b(row_$t * $N + $n);
        let c_${t}_$n = read_c(row_$t * $N + $n);
#end
#end
#for c in 0..CHANNELS
        let delta_${c}_$t = select(0.0, read_ddelta(row_$t * $D + channel_$c), valid_$t);
        let u_${c}_$t = read_u(row_$t * $D + channel_$c);
#if DIRECT && HAS_Z
        let out_${c}_$t = read_dy(row_$t * $D + channel_$c);
        let gate_${c}_$t = read_z(row_$t * $D + channel_$c);
        let s_${c}_$t = sigmoid(gate_${c}_$t);
        let dy_${c}_$t = select(0.0, mask_$c * out_${c}_$t * gate_${c}_$t * s_${c}_$t, valid_$t);
#end
#if DIRECT && !HAS_Z
        let dy_${c}_$t = select(0.0, mask_$c * read_dy(row_$t * $D + channel_$c), valid_$t);
#end
#if !DIRECT
        let dy_${c}_$t = select(0.0, mask_$c * read_du(row_$t * $D + channel_$c), valid_$t);
#end
#for n in 0..N
        let decay_${c}_${t}_$n = exp2(delta_${c}_$t * a_${c}_$n);
#if t == 0
        let kept_${c}_${t}_$n = decay_${c}_${t}_$n * starts[tile * ${CHANNELS * N} + ${c * N + n}];
#else
        let kept_${c}_${t}_$n = decay_${c}_${t}_$n * h_${c}_${t - 1}_$n;
#end
#if HOLD
        let w_${c}_${t}_$n = write_weight(delta_${c}_$t, a_${c}_$n, decay_${c}_${t}_$n);
        let h_${c}_${t}_$n = fma(w_${c}_${t}_$n * u_${c}_$t, b_${t}_$n, kept_${c}_${t}_$n);
#else
        let h_${c}_${t}_$n = fma(delta_${c}_$t * u_${c}_$t, b_${t}_$n, kept_${c}_${t}_$n);
#end
#end
#end
#end
#for r in 0..TILE
#for c in 0..CHANNELS
        let x_${c}_${TILE - 1 - r} = delta_${c}_${TILE - 1 - r} * u_${c}_${TILE - 1 - r};
#for n in 0..N
#if r == 0
        let g_${c}_${TILE - 1 - r}_$n = fma(dy_${c}_${TILE - 1 - r}, c_${TILE - 1 - r}_$n, g_${c}_$n);
#else
        let g_${c}_${TILE - 1 - r}_$n = fma(dy_${c}_${TILE - 1 - r}, c_${TILE - 1 - r}_$n, p_${c}_${TILE - r}_$n);
#end
        let p_${c}_${TILE - 1 - r}_$n = g_${c}_${TILE - 1 - r}_$n * decay_${c}_${TILE - 1 - r}_$n;
        let k_${c}_${TILE - 1 - r}_$n = g_${c}_${TILE - 1 - r}_$n * kept_${c}_${TILE - 1 - r}_$n;
#if HOLD
        let gw_${c}_${TILE - 1 - r}_$n = g_${c}_${TILE - 1 - r}_$n * w_${c}_${TILE - 1 - r}_$n;
        let bu_${c}_${TILE - 1 - r}_$n = u_${c}_${TILE - 1 - r} * b_${TILE - 1 - r}_$n;
        let ak_${c}_${TILE - 1 - r}_$n = fma(a_${c}_$n, k_${c}_${TILE - 1 - r}_$n,
          LOG2E * p_${c}_${TILE - 1 - r}_$n * bu_${c}_${TILE - 1 - r}_$n);
        let dk_${c}_${TILE - 1 - r}_$n = fma(delta_${c}_${TILE - 1 - r}, k_${c}_${TILE - 1 - r}_$n,
          g_${c}_${TILE - 1 - r}_$n * bu_${c}_${TILE - 1 - r}_$n
            * write_slope(delta_${c}_${TILE - 1 - r}, a_${c}_$n, decay_${c}_${TILE - 1 - r}_$n, w_${c}_${TILE - 1 - r}_$n));
#end
#if c == 0
#if HOLD
        let db_${TILE - 1 - r}_${c}_$n = gw_${c}_${TILE - 1 - r}_$n * u_${c}_${TILE - 1 - r};
#else
        let db_${TILE - 1 - r}_${c}_$n = g_${c}_${TILE - 1 - r}_$n * x_${c}_${TILE - 1 - r};
#end
        let dc_${TILE - 1 - r}_${c}_$n = dy_${c}_${TILE - 1 - r} * h_${c}_${TILE - 1 - r}_$n;
#else
#if HOLD
        let db_${TILE - 1 - r}_${c}_$n = fma(gw_${c}_${TILE - 1 - r}_$n, u_${c}_${TILE - 1 - r}, db_${TILE - 1 - r}_${c - 1}_$n);
#else
        let db_${TILE - 1 - r}_${c}_$n = fma(g_${c}_${TILE - 1 - r}_$n, x_${c}_${TILE - 1 - r}, db_${TILE - 1 - r}_${c - 1}_$n);
#end
        let dc_${TILE - 1 - r}_${c}_$n = fma(dy_${c}_${TILE - 1 - r}, h_${c}_${TILE - 1 - r}_$n, dc_${TILE - 1 - r}_${c - 1}_$n);
#end
#if n == 0
#if HOLD
        let gb_${c}_${TILE - 1 - r}_$n = gw_${c}_${TILE - 1 - r}_$n * b_${TILE - 1 - r}_$n;
        let gk_${c}_${TILE - 1 - r}_$n = ak_${c}_${TILE - 1 - r}_$n;
#else
        let gb_${c}_${TILE - 1 - r}_$n = g_${c}_${TILE - 1 - r}_$n * b_${TILE - 1 - r}_$n;
        let gk_${c}_${TILE - 1 - r}_$n = a_${c}_$n * k_${c}_${TILE - 1 - r}_$n;
#end
#if HAS_Z
        let y_${c}_${TILE - 1 - r}_$n = c_${TILE - 1 - r}_$n * h_${c}_${TILE - 1 - r}_$n;
#end
#else
#if HOLD
        let gb_${c}_${TILE - 1 - r}_$n = fma(gw_${c}_${TILE - 1 - r}_$n, b_${TILE - 1 - r}_$n, gb_${c}_${TILE - 1 - r}_${n - 1});
        let gk_${c}_${TILE - 1 - r}_$n = ak_${c}_${TILE - 1 - r}_$n + gk_${c}_${TILE - 1 - r}_${n - 1};
#else
        let gb_${c}_${TILE - 1 - r}_$n = fma(g_${c}_${TILE - 1 - r}_$n, b_${TILE - 1 - r}_$n, gb_${c}_${TILE - 1 - r}_${n - 1});
        let gk_${c}_${TILE - 1 - r}_$n = fma(a_${c}_$n, k_${c}_${TILE - 1 - r}_$n, gk_${c}_${TILE - 1 - r}_${n - 1});
#end
#if HAS_Z
        let y_${c}_${TILE - 1 - r}_$n = fma(c_${TILE - 1 - r}_$n, h_${c}_${TILE - 1 - r}_$n, y_${c}_${TILE - 1 - r}_${n - 1});
#end
#end
#if HOLD
#if r == 0
        let e_${c}_${TILE - 1 - r}_$n = dk_${c}_${TILE - 1 - r}_$n;
#else
        let e_${c}_${TILE - 1 - r}_$n = dk_${c}_${TILE - 1 - r}_$n + e_${c}_${TILE - r}_$n;
#end
#else
#if r == 0
        let e_${c}_${TILE - 1 - r}_$n = delta_${c}_${TILE - 1 - r} * k_${c}_${TILE - 1 - r}_$n;
#else
        let e_${c}_${TILE - 1 - r}_$n = fma(delta_${c}_${TILE - 1 - r}, k_${c}_${TILE - 1 - r}_$n, e_${c}_${TILE - r}_$n);
#end
#end
#end
#if HOLD
        let du_${c}_${TILE - 1 - r} = gb_${c}_${TILE - 1 - r}_${N - 1};
        let dd_${c}_${TILE - 1 - r} = activate_gradient(delta_${c}_${TILE - 1 - r}) * LN2 * gk_${c}_${TILE - 1 - r}_${N - 1};
#else
        let dd_${c}_${TILE - 1 - r} = activate_gradient(delta_${c}_${TILE - 1 - r})
          * fma(u_${c}_${TILE - 1 - r}, gb_${c}_${TILE - 1 - r}_${N - 1}, LN2 * gk_${c}_${TILE - 1 - r}_${N - 1});
#end
        ddskip_$c = fma(dy_${c}_${TILE - 1 - r}, u_${c}_${TILE - 1 - r}, ddskip_$c);
        dbias_$c += select(0.0, dd_${c}_${TILE - 1 - r}, valid_${TILE - 1 - r});
#if TAIL || RAGGED
        if (valid_${TILE - 1 - r} && own_$c < $D) {
#else
        {
#end
          write_ddelta(row_${TILE - 1 - r} * $D + channel_$c, dd_${c}_${TILE - 1 - r});
#if DIRECT
#if HOLD
          write_du(row_${TILE - 1 - r} * $D + channel_$c, fma(skip_$c, dy_${c}_${TILE - 1 - r}, du_${c}_${TILE - 1 - r}));
#else
          write_du(row_${TILE - 1 - r} * $D + channel_$c, fma(delta_${c}_${TILE - 1 - r}, gb_${c}_${TILE - 1 - r}_${N - 1}, skip_$c * dy_${c}_${TILE - 1 - r}));
#end
#if HAS_Z
          write_dz(row_${TILE - 1 - r} * $D + channel_$c, out_${c}_${TILE - 1 - r} * fma(skip_$c, u_${c}_${TILE - 1 - r}, y_${c}_${TILE - 1 - r}_${N - 1})
            * s_${c}_${TILE - 1 - r} * (1.0 + gate_${c}_${TILE - 1 - r} * (1.0 - s_${c}_${TILE - 1 - r})));
#end
#else
#if HOLD
          write_du(row_${TILE - 1 - r} * $D + channel_$c, du_${c}_${TILE - 1 - r});
#else
          write_du(row_${TILE - 1 - r} * $D + channel_$c, delta_${c}_${TILE - 1 - r} * gb_${c}_${TILE - 1 - r}_${N - 1});
#end
#if HAS_Z
          write_dz(row_${TILE - 1 - r} * $D + channel_$c, y_${c}_${TILE - 1 - r}_${N - 1});
#end
#end
        }
#end
#end
#for c in 0..CHANNELS
#for n in 0..N
        g_${c}_$n = p_${c}_0_$n;
        da_${c}_$n += e_${c}_0_$n;
#end
#end
#for t in 0..TILE
#for n in 0..N
#if QUAD
        let db2_${t}_$n = db_${t}_${CHANNELS - 1}_$n + quadSwapX(db_${t}_${CHANNELS - 1}_$n);
        let dc2_${t}_$n = dc_${t}_${CHANNELS - 1}_$n + quadSwapX(dc_${t}_${CHANNELS - 1}_$n);
        let db_${t}_$n = db2_${t}_$n + quadSwapY(db2_${t}_$n);
        let dc_${t}_$n = dc2_${t}_$n + quadSwapY(dc2_${t}_$n);
#else
        let db_${t}_$n = db_${t}_${CHANNELS - 1}_$n;
        let dc_${t}_$n = dc_${t}_${CHANNELS - 1}_$n;
#end
#end
#end
#if STAGED
#for t in 0..TILE
#if QUAD
#for i in 0..N/4
        stage[(lane / 4 * $TILE + $t) * ${2 * N} + ${4 * i} + quarter] =
          vec4f(db_${t}_${4 * i}, db_${t}_${4 * i + 1}, db_${t}_${4 * i + 2}, db_${t}_${4 * i + 3})[quarter];
        stage[(lane / 4 * $TILE + $t) * ${2 * N} + ${N + 4 * i} + quarter] =
          vec4f(dc_${t}_${4 * i}, dc_${t}_${4 * i + 1}, dc_${t}_${4 * i + 2}, dc_${t}_${4 * i + 3})[quarter];
#end
#else
#for n in 0..N
        stage[(lane * $TILE + $t) * ${2 * N} + $n] = db_${t}_$n;
        stage[(lane * $TILE + $t) * ${2 * N} + ${N + n}] = dc_${t}_$n;
#end
#end
#end
        workgroupBarrier();
        for (var o = lane; o < ${TILE * 2 * N}; o += $LANES) {
          let t = t0 + o / ${2 * N};
          var sum = 0.0;
          for (var slot = 0u; slot < $SLOTS; slot++) { sum += stage[slot * ${TILE * 2 * N} + o]; }
          if (t < end) { add_partial(((part * $BATCH + batch) * $L + t) * ${2 * N} + o % ${2 * N}, sum, pass_index); }
        }
        workgroupBarrier();
#else
#for t in 0..TILE
#if TAIL
        if (valid_$t) {
#else
        {
#end
          let at = ((part * $BATCH + batch) * $L + t0 + $t) * ${2 * N};
#if QUAD
#for i in 0..N/4
          add_partial(at + ${4 * i} + quarter,
            vec4f(db_${t}_${4 * i}, db_${t}_${4 * i + 1}, db_${t}_${4 * i + 2}, db_${t}_${4 * i + 3})[quarter], pass_index);
          add_partial(at + ${N + 4 * i} + quarter,
            vec4f(dc_${t}_${4 * i}, dc_${t}_${4 * i + 1}, dc_${t}_${4 * i + 2}, dc_${t}_${4 * i + 3})[quarter], pass_index);
#end
#else
#for n in 0..N
          add_partial(at + $n, db_${t}_$n, pass_index);
          add_partial(at + ${N + n}, dc_${t}_$n, pass_index);
#end
#end
        }
#end
#end
      }
    }
#for c in 0..CHANNELS
#if RAGGED
    if (own_$c < $D) {
#else
    {
#end
      let at = (batch * $CHUNKS + chunk) * $D + channel_$c;
#for n in 0..N
      write_work($CARRIES + at * $N + $n, da_${c}_$n);
#end
      write_work($SUMS + at * 2, ddskip_$c);
      write_work($SUMS + at * 2 + 1, dbias_$c);
    }
#end
  }
#end
