// Where the scan's backward pass is cut into chunks of time, what runs before selective_scan_backward.wgsl, with its
// symbols and its layout of work: LOCAL leaves each interval's g from zero and Σ Δ, CARRY turns them into g at each interval's
// end (the product of exp(Δ_t A) over an interval is exp(A Σ Δ)). In LOCAL a lane owns OWN states of a channel, one of SHARES; states
// beyond n are not kept.

const LOG2E = 1.4426950408889634;

#if CARRY
#main thread i
  let n = i % $N;
  let channel = i / $N % $D;
  let batch = i / ${D * N};
  let a2 = read_states(channel * $N + n) * LOG2E;
  var g = 0.0;
  for (var c = ${CHUNKS}u; c > 0;) {
    c--;
    let at = (batch * $CHUNKS + c) * $D + channel;
    let local = read_work($CARRIES + at * $N + n);
    write_work($CARRIES + at * $N + n, g);
    g = exp2(a2 * read_work($SUMS + at * 2)) * g + local;
  }
#end
#end

#if DIRECT && LOCAL
// dy' = dy · silu(z).
fn gated(at: u32) -> f32 {
#if HAS_Z
  let gate = read_z(at);
  return read_dy(at) * gate * sigmoid(gate);
#else
  return read_dy(at);
#end
}
#end

#if LOCAL
#if SHARES * OWN > N
fn state(n: u32) -> u32 { return min(n, ${N - 1}); }
#else
fn state(n: u32) -> u32 { return n; }
#end
#end

#if LOCAL
#main workgroup group
#if SHARES > 1
  let share = group % $SHARES;
  let own = group / $SHARES % $BLOCKS * $LANES + lane;
#else
  let share = 0u;
  let own = group % $BLOCKS * $LANES + lane;
#end
  let n0 = share * $OWN;
  let channel = min(own, ${D - 1}u);
  let chunk = group / ${SHARES * BLOCKS} % $CHUNKS;
  let batch = group / ${SHARES * BLOCKS * CHUNKS};
  let first = chunk * $INTERVAL;
  var sum = 0.0;
#for n in 0..OWN
  let a_$n = read_states(channel * $N + state(n0 + $n)) * LOG2E;
  var g_$n = 0.0;
#end
#if QUAD
  let quarter = lane % 4;
#end
  for (var t = min(first + $INTERVAL, ${L}u); t > first;) {
    t--;
    let row = batch * $L + t;
    let delta = read_ddelta(row * $D + channel);
#if DIRECT
    let dy = gated(row * $D + channel);
#else
    let dy = read_du(row * $D + channel);
#end
    sum += delta;
#if QUAD
#for i in 0..OWN/4
    let cq_$i = read_c(row * $N + state(n0 + ${4 * i} + quarter));
#end
#end
#for n in 0..OWN
#if QUAD
    g_$n = exp2(delta * a_$n) * fma(dy, quadBroadcast(cq_${n / 4}, ${n % 4}u), g_$n);
#else
    g_$n = exp2(delta * a_$n) * fma(dy, read_c(row * $N + state(n0 + $n)), g_$n);
#end
#end
  }
  if (own < $D) {
    let at = (batch * $CHUNKS + chunk) * $D + channel;
    if (share == 0) { write_work($SUMS + at * 2, sum); }
#for n in 0..OWN
#if SHARES * OWN > N
    if (n0 + $n < $N) { write_work($CARRIES + at * $N + n0 + $n, g_$n); }
#else
    write_work($CARRIES + at * $N + n0 + $n, g_$n);
#end
#end
  }
#end
#end
