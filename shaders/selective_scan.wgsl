// Selective scan of Mamba-1, forward (Gu & Dao 2023, §3.3): h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t u_t,
// y_t = (C_t·h_t + D u_t) · silu(z_t), with Δ_t = softplus(delta_t + bias). HOLD writes as selective_scan_hold.wgsl says.
// u, delta, z, y [b, l, d]; A [d, n]; B, C [b, l, n]; states [b, intervals, d, n]: h at the start of each INTERVAL
// steps, for the backward pass. Interval 0 starts from zero; its slot (of batch 0) carries A instead, for which the
// backward kernel has no binding left.
// A thread owns CHANNELS channels and OWN states of each, in registers: all n, or on GPUs, whose registers do not hold many, a part.
// There TEAM lanes share a channel (CHANNELS is 1) and add their parts of y in workgroup memory, in order; a state beyond n stays 0.
// Lanes lie along channels, so that u, delta, z and y are read and written coalesced. B_t and C_t are the same for all lanes: with
// QUAD each lane of a quad loads a quarter of them and the quad exchanges them.
// Three kernels: SCAN alone walks all of time. Where b·d threads do not fill the GPU, time is cut into intervals:
// LOCAL computes each interval's end state from zero and Σ Δ, CARRY turns them into start states (the product of
// exp(Δ_t A) over an interval is exp(A Σ Δ)), and SCAN starts each interval from its own.
// FLOPs about 7 per (b, l, d, n), one of them exp; bytes 4·(4·b·l·d + 2·b·l·n·d/(lanes·CHANNELS)).

const LOG2E = 1.4426950408889634;

#if TEAM > 1
var<workgroup> parts: array<f32, ${TILE * LANES}>;
#end

#if !CARRY
#if TEAM * OWN > N
fn b_of(row: u32, n: u32) -> f32 { return select(0.0, read_b(row * $N + min(n, ${N - 1})), n < $N); }
fn a_of(channel: u32, n: u32) -> f32 { return select(0.0, read_a(channel * $N + min(n, ${N - 1})), n < $N); }
#if !LOCAL
fn c_of(row: u32, n: u32) -> f32 { return select(0.0, read_c(row * $N + min(n, ${N - 1})), n < $N); }
#end
#else
fn b_of(row: u32, n: u32) -> f32 { return read_b(row * $N + n); }
fn a_of(channel: u32, n: u32) -> f32 { return read_a(channel * $N + n); }
#if !LOCAL
fn c_of(row: u32, n: u32) -> f32 { return read_c(row * $N + n); }
#end
#end

fn step_delta(at: u32, channel: u32) -> f32 {
#if PREPARED
  return read_y(at);
#else
#if BIAS
  return activate(read_delta(at) + read_bias(channel));
#else
  return activate(read_delta(at));
#end
#end
}
#end

#if CARRY
// One thread a (batch, channel, state): states[c] ← h at the start of interval c.
#main thread i
  let n = i % $N;
  let channel = i / $N % $D;
  let batch = i / ${D * N};
  let a2 = read_a(channel * $N + n) * LOG2E;
  var h = 0.0;
  for (var c = 0u; c < $INTERVALS; c++) {
    let at = (batch * $INTERVALS + c) * $D + channel;
    let local = read_states(at * $N + n);
    write_states(at * $N + n, h);
    h = exp2(a2 * read_sums(at)) * h + local;
  }
  if (batch == 0) { write_states(i, read_a(channel * $N + n)); }
#end
#else
#main workgroup group
  let block = group % $BLOCKS;
  let chunk = group / $BLOCKS % $CHUNKS;
  let batch = group / ${BLOCKS * CHUNKS};
#if QUAD
  let quarter = lane % 4;
#end
#if TEAM > 1
  let team = lane / ${LANES / TEAM};
  let n0 = team * $OWN;
#else
  let n0 = 0u;
#end
#for c in 0..CHANNELS
#if TEAM > 1
  let own_$c = block * ${LANES / TEAM} + lane % ${LANES / TEAM};
#else
  let own_$c = block * ${LANES * CHANNELS} + ${c * LANES} + lane;
#end
#if RAGGED
  let channel_$c = min(own_$c, ${D - 1}u);
#else
  let channel_$c = own_$c;
#end
#if LOCAL
  var sum_$c = 0.0;
#end
#if HAS_D && !LOCAL
  let d_$c = read_d_skip(channel_$c);
#end
#for n in 0..OWN
  let a_${c}_$n = a_of(channel_$c, n0 + $n) * LOG2E;
  var h_${c}_$n = 0.0;
#end
#end
#if CHUNKS > 1 && !LOCAL
  if (chunk > 0) {
#for c in 0..CHANNELS
#for n in 0..OWN
#if TEAM * OWN > N
    if (n0 + $n < $N) { h_${c}_$n = read_states(((batch * $INTERVALS + chunk) * $D + channel_$c) * $N + n0 + $n); }
#else
    h_${c}_$n = read_states(((batch * $INTERVALS + chunk) * $D + channel_$c) * $N + n0 + $n);
#end
#end
#end
  }
#end
#if CHUNKS > 1
  let interval0 = chunk;
  let interval1 = chunk + 1;
#else
  let interval0 = 0u;
  let interval1 = ${INTERVALS}u;
#end
  for (var interval = interval0; interval < interval1; interval++) {
#if CHUNKS == 1 && STATES
#for c in 0..CHANNELS
    if (own_$c < $D) {
      let at = ((batch * $INTERVALS + interval) * $D + channel_$c) * $N;
      if (interval > 0) {
#for n in 0..OWN
#if TEAM * OWN > N
        if (n0 + $n < $N) { write_states(at + n0 + $n, h_${c}_$n); }
#else
        write_states(at + n0 + $n, h_${c}_$n);
#end
#end
      } else if (batch == 0) {
#for n in 0..OWN
#if TEAM * OWN > N
        if (n0 + $n < $N) { write_states(at + n0 + $n, read_a(channel_$c * $N + n0 + $n)); }
#else
        write_states(at + n0 + $n, read_a(channel_$c * $N + n0 + $n));
#end
#end
      }
    }
#end
#end
    let end = min((interval + 1) * $INTERVAL, ${L}u);
    for (var t0 = interval * $INTERVAL; t0 < end; t0 += ${TILE}u) {
#for t in 0..TILE
      // Steps beyond the interval's end count as Δ = 0: they leave the state as it is.
#if TAIL
      let valid_$t = t0 + $t < end;
      let row_$t = batch * $L + min(t0 + $t, ${L - 1}u);
#else
      let valid_$t = true;
      let row_$t = batch * $L + t0 + $t;
#end
#if QUAD
#for i in 0..OWN/4
      let bq_${t}_$i = b_of(row_$t, n0 + ${4 * i} + quarter);
#if !LOCAL
      let cq_${t}_$i = c_of(row_$t, n0 + ${4 * i} + quarter);
#end
#end
#end
#for n in 0..OWN
#if QUAD
      let b_${t}_$n = quadBroadcast(bq_${t}_${n / 4}, ${n % 4}u);
#if !LOCAL
      let c_${t}_$n = quadBroadcast(cq_${t}_${n / 4}, ${n % 4}u);
#end
#else
      let b_${t}_$n = b_of(row_$t, n0 + $n);
#if !LOCAL
      let c_${t}_$n = c_of(row_$t, n0 + $n);
#end
#end
#end
#for c in 0..CHANNELS
      let at_${c}_$t = row_$t * $D + channel_$c;
      let u_${c}_$t = read_u(at_${c}_$t);
      let delta_${c}_$t = select(0.0, step_delta(at_${c}_$t, channel_$c), valid_$t);
      let x_${c}_$t = delta_${c}_$t * u_${c}_$t;
#if LOCAL
      sum_$c += delta_${c}_$t;
#end
#for n in 0..OWN
#if LOCAL && QUAD
      // Exchanged as they are used: sixteen values at once were too many registers for Intel.
      let now_${c}_${t}_$n = quadBroadcast(bq_${t}_${n / 4}, ${n % 4}u);
#else
      let now_${c}_${t}_$n = b_${t}_$n;
#end
#if HOLD
      let decay_${c}_${t}_$n = exp2(delta_${c}_$t * a_${c}_$n);
      let w_${c}_${t}_$n = write_weight(delta_${c}_$t, a_${c}_$n, decay_${c}_${t}_$n);
#if t == 0
      let h_${c}_${t}_$n = fma(decay_${c}_${t}_$n, h_${c}_$n, w_${c}_${t}_$n * u_${c}_$t * now_${c}_${t}_$n);
#else
      let h_${c}_${t}_$n = fma(decay_${c}_${t}_$n, h_${c}_${t - 1}_$n, w_${c}_${t}_$n * u_${c}_$t * now_${c}_${t}_$n);
#end
#else
#if t == 0
      let h_${c}_${t}_$n = fma(exp2(delta_${c}_$t * a_${c}_$n), h_${c}_$n, x_${c}_$t * now_${c}_${t}_$n);
#else
      let h_${c}_${t}_$n = fma(exp2(delta_${c}_$t * a_${c}_$n), h_${c}_${t - 1}_$n, x_${c}_$t * now_${c}_${t}_$n);
#end
#end
#if !LOCAL
#if n == 0
      let y_${c}_${t}_$n = h_${c}_${t}_$n * c_${t}_$n;
#else
      let y_${c}_${t}_$n = fma(h_${c}_${t}_$n, c_${t}_$n, y_${c}_${t}_${n - 1});
#end
#end
#end
#if !LOCAL
#if TEAM > 1
      parts[${t * LANES}u + lane] = y_${c}_${t}_${OWN - 1};
      workgroupBarrier();
      var sum_${c}_$t = 0.0;
#for m in 0..TEAM
      sum_${c}_$t += parts[${t * LANES + m * LANES / TEAM}u + lane % ${LANES / TEAM}];
#end
#else
      let sum_${c}_$t = y_${c}_${t}_${OWN - 1};
#end
#if HAS_D
      let s_${c}_$t = fma(d_$c, u_${c}_$t, sum_${c}_$t);
#else
      let s_${c}_$t = sum_${c}_$t;
#end
#if HAS_Z
      let z_${c}_$t = read_z(at_${c}_$t);
      let out_${c}_$t = s_${c}_$t * z_${c}_$t * sigmoid(z_${c}_$t);
#else
      let out_${c}_$t = s_${c}_$t;
#end
#if TEAM > 1
      if (valid_$t && own_$c < $D && team == ${t % TEAM}) { write_y(at_${c}_$t, out_${c}_$t); }
#else
#if TAIL || RAGGED
      if (valid_$t && own_$c < $D) { write_y(at_${c}_$t, out_${c}_$t); }
#else
      write_y(at_${c}_$t, out_${c}_$t);
#end
#end
#end
#end
#end
#if TEAM > 1 && !LOCAL
      workgroupBarrier();
#end
#for c in 0..CHANNELS
#for n in 0..OWN
      h_${c}_$n = h_${c}_${TILE - 1}_$n;
#end
#end
    }
  }
#if LOCAL
#for c in 0..CHANNELS
  if (own_$c < $D) {
    let at = (batch * $INTERVALS + chunk) * $D + channel_$c;
#if TEAM > 1
    if (team == 0) { write_sums(at, sum_$c); }
#else
    write_sums(at, sum_$c);
#end
#for n in 0..OWN
#if TEAM * OWN > N
    if (n0 + $n < $N) { write_states(at * $N + n0 + $n, h_${c}_$n); }
#else
    write_states(at * $N + n0 + $n, h_${c}_$n);
#end
#end
  }
#end
#end
#end
#end
