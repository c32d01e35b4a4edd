// Backward pass of selective_scan.wgsl where lanes are many and registers few: a lane owns two states of one channel, TEAM lanes
// share a channel, and a workgroup has CHANNELS channels side by side. Formulas, HOLD, `work`, DIRECT, CHUNKS and what ddelta and du
// hold on entry are those of selective_scan_backward.wgsl.
// An interval's states are recomputed three times from `states`: once to note the state at the start of each BLOCK of steps;
// then, block by block from the last, up to each TILE; then in registers, TILE steps at a time. A block's start, NP values a
// channel, lies in the block's own rows of du, of dz or half in each (TWO_NOTES), which are written only after it was read.
// The first block starts from `states`, and the last is where the first walk ends.
// For each TILE, lanes leave their parts of dB and dC (summed over channels) and of du, dΔ and dz (summed over states)
// in workgroup memory, where other lanes add them in a fixed order. A workgroup leaves one partial of dB and dC.
// NP is N to the next two; a state beyond N is 0 throughout.
// FLOPs about 50 per (b, l, d, n), four of them exp. Tried: all states of a channel in one lane (spills on every GPU), four states or
// four steps in registers (spill on Intel), starts in a private array with a dynamic index (scratch memory).

var<workgroup> pairs: array<f32, ${TILE * 2 * NP * (CHANNELS + 1)}>;
var<workgroup> rows: array<f32, ${TILE * 3 * WORKGROUP}>;

#if ODD
fn b_of(row: u32, n: u32) -> vec2f {
  return select(vec2f(), vec2f(read_b(row * $N + n), read_b(row * $N + min(n + 1, ${N - 1}))), n + vec2u(0, 1) < vec2u($N));
}
fn c_of(row: u32, n: u32) -> vec2f {
  return select(vec2f(), vec2f(read_c(row * $N + n), read_c(row * $N + min(n + 1, ${N - 1}))), n + vec2u(0, 1) < vec2u($N));
}
fn state_of(at: u32, n: u32) -> vec2f {
  return select(vec2f(), vec2f(read_states(at * $N + n), read_states(at * $N + min(n + 1, ${N - 1}))), n + vec2u(0, 1) < vec2u($N));
}
#else
fn b_of(row: u32, n: u32) -> vec2f { return vec2f(read_b(row * $N + n), read_b(row * $N + n + 1)); }
fn c_of(row: u32, n: u32) -> vec2f { return vec2f(read_c(row * $N + n), read_c(row * $N + n + 1)); }
fn state_of(at: u32, n: u32) -> vec2f { return vec2f(read_states(at * $N + n), read_states(at * $N + n + 1)); }
#end

fn advance(h: vec2f, a: vec2f, row: u32, channel: u32, n: u32) -> vec2f {
  let delta = read_ddelta(row * $D + channel);
#if HOLD
  let decay = exp2(delta * a);
  return fma(decay, h, write_weight(delta, a, decay) * read_u(row * $D + channel) * b_of(row, n));
#else
  return fma(exp2(delta * a), h, delta * read_u(row * $D + channel) * b_of(row, n));
#end
}

// Value n of the state at the start of the block whose first row is at `at`.
#if TWO_NOTES
fn note(at: u32, n: u32, value: f32) {
  if (n < $BLOCK) { write_du(at + n * $D, value); } else { write_dz(at + (n - $BLOCK) * $D, value); }
}
fn noted(at: u32, n: u32) -> f32 {
  if (n < $BLOCK) { return read_du(at + n * $D); }
  return read_dz(at + (n - $BLOCK) * $D);
}
#else
fn note(at: u32, n: u32, value: f32) { write_$NOTES(at + n * $D, value); }
fn noted(at: u32, n: u32) -> f32 { return read_$NOTES(at + n * $D); }
#end

// dy' = dy · silu(z), 0 for channels and steps that do not exist.
fn cotangent(at: u32, mask: f32) -> f32 {
#if !DIRECT
  return mask * read_du(at);
#else
#if HAS_Z
  let gate = read_z(at);
  return mask * read_dy(at) * gate * sigmoid(gate);
#else
  return mask * read_dy(at);
#end
#end
}

#main workgroup group
  let part = group % $PARTS;
  let chunk = group / $PARTS % $CHUNKS;
  let batch = group / ${PARTS * CHUNKS};
  let c = lane % $CHANNELS;
  let n = lane / $CHANNELS * 2;
  // Sums over states are added by lanes in the other order, while the first add those over channels.
  let adder = ${WORKGROUP - 1}u - lane;
  for (var pass_index = 0u; pass_index < $PASSES; pass_index++) {
    let block = (part * $PASSES + pass_index) * $CHANNELS;
    let channel = min(block + c, ${D - 1}u);
    let mask = select(0.0, 1.0, block + c < $D);
    let own = block + adder % $CHANNELS;
    var ddskip = 0.0;
    var dbias = 0.0;
    let a = state_of(channel, n) * LOG2E;
    var da = vec2f();
    var g = vec2f();
#if CHUNKS > 1
    let carried = $CARRIES + ((batch * $CHUNKS + chunk) * $D + channel) * $N + n;
    g.x = mask * read_work(carried);
    if (n + 1 < $N) { g.y = mask * read_work(carried + 1); }
#end
#if CHUNKS > 1
    {
      let interval = chunk;
#else
    for (var interval = ${INTERVALS}u; interval > 0;) {
      interval--;
#end
      let first = batch * $L + interval * $INTERVAL;
      let end = batch * $L + min(interval * $INTERVAL + $INTERVAL, ${L}u);
      let blocks = (end - first + ${BLOCK - 1}) / $BLOCK;
      var start = vec2f();
      if (interval > 0) { start = state_of((batch * $INTERVALS + interval) * $D + channel, n); }
      for (var k = 0u; k + 1 < blocks; k++) {
        let row0 = first + k * $BLOCK;
        if (k > 0 && block + c < $D) {
          note(row0 * $D + channel, n, start.x);
          if (n + 1 < $N) { note(row0 * $D + channel, n + 1, start.y); }
        }
        // The bound, which is that of every block, keeps compilers from unrolling the walk.
        for (var row = row0; row < min(row0 + $BLOCK, end); row++) { start = advance(start, a, row, channel, n); }
      }
      for (var k = blocks; k > 0;) {
        k--;
        let row0 = first + k * $BLOCK;
        let past = min(row0 + $BLOCK, end);
        if (k + 1 < blocks) {
          start = vec2f();
          if (k > 0) {
            start.x = noted(row0 * $D + channel, n);
            if (n + 1 < $N) { start.y = noted(row0 * $D + channel, n + 1); }
          } else if (interval > 0) {
            start = state_of((batch * $INTERVALS + interval) * $D + channel, n);
          }
        }
        for (var tile = row0 + (past - row0 - 1) / $TILE * $TILE; ; tile -= $TILE) {
          var h_0 = start;
          for (var row = row0; row < tile; row++) { h_0 = advance(h_0, a, row, channel, n); }
          // Steps beyond the interval's end count as Δ = 0 and dy' = 0: they change nothing.
#for t in 0..TILE
          let row_$t = min(tile + $t, past - 1);
          let delta_$t = select(0.0, read_ddelta(row_$t * $D + channel), tile + $t < past);
#if HOLD
          let u_$t = read_u(row_$t * $D + channel);
          let w_$t = write_weight(delta_$t, a, exp2(delta_$t * a));
          let h_${t + 1} = fma(exp2(delta_$t * a), h_$t, w_$t * u_$t * b_of(row_$t, n));
#else
          let x_$t = delta_$t * read_u(row_$t * $D + channel);
          let h_${t + 1} = fma(exp2(delta_$t * a), h_$t, x_$t * b_of(row_$t, n));
#end
#end
#for r in 0..TILE
          {
            // From the last step: this is step ${TILE - 1 - r} of the tile.
            let dy = cotangent(row_${TILE - 1 - r} * $D + channel, select(0.0, mask, tile + ${TILE - 1 - r} < past));
            let decay = exp2(delta_${TILE - 1 - r} * a);
            let cs = c_of(row_${TILE - 1 - r}, n);
            g = fma(vec2f(dy), cs, g);
            let kept = g * decay * h_${TILE - 1 - r};
            da = fma(vec2f(delta_${TILE - 1 - r}), kept, da);
#if HOLD
            let gw = g * w_${TILE - 1 - r};
            let bs = b_of(row_${TILE - 1 - r}, n);
            da = fma(g * bs, u_${TILE - 1 - r} * write_slope(delta_${TILE - 1 - r}, a, decay, w_${TILE - 1 - r}), da);
            rows[${(TILE - 1 - r) * 3 * WORKGROUP}u + lane] = dot(gw, bs);
            rows[${((TILE - 1 - r) * 3 + 1) * WORKGROUP}u + lane] = dot(a, kept) + LOG2E * u_${TILE - 1 - r} * dot(g * decay, bs);
#else
            rows[${(TILE - 1 - r) * 3 * WORKGROUP}u + lane] = dot(g, b_of(row_${TILE - 1 - r}, n));
            rows[${((TILE - 1 - r) * 3 + 1) * WORKGROUP}u + lane] = dot(a, kept);
#end
            rows[${((TILE - 1 - r) * 3 + 2) * WORKGROUP}u + lane] = dot(cs, h_${TILE - r});
#if HOLD
            let db = gw * u_${TILE - 1 - r};
#else
            let db = g * x_${TILE - 1 - r};
#end
            let dc = dy * h_${TILE - r};
            let to = (${(TILE - 1 - r) * 2 * NP}u + n) * ${CHANNELS + 1} + c;
#for e in 0..2
            pairs[to + ${e * (CHANNELS + 1)}] = db[$e];
            pairs[to + ${(NP + e) * (CHANNELS + 1)}] = dc[$e];
#end
            g *= decay;
          }
#end
          workgroupBarrier();
          for (var o = lane; o < ${TILE * 2 * NP}; o += $WORKGROUP) {
            let row = tile + o / ${2 * NP};
            let state = o % $NP;
            var sum = 0.0;
            for (var i = 0u; i < $CHANNELS; i++) { sum += pairs[o * ${CHANNELS + 1} + i]; }
            if (row < past && state < $N) {
              let to = (part * ${BATCH * L} + row) * ${2 * N} + o / $NP % 2 * $N + state;
#if PASSES > 1
              if (pass_index > 0) { sum += read_work(to); }
#end
              write_work(to, sum);
            }
          }
          for (var o = adder; o < ${TILE * CHANNELS}; o += $WORKGROUP) {
            let row = tile + o / $CHANNELS;
            var sum = vec3f();
            for (var i = 0u; i < $TEAM; i++) {
              let at = o / $CHANNELS * ${3 * WORKGROUP} + i * $CHANNELS + o % $CHANNELS;
              sum += vec3f(rows[at], rows[at + $WORKGROUP], rows[at + ${2 * WORKGROUP}]);
            }
            if (row < past && own < $D) {
              let at = row * $D + own;
              let delta = read_ddelta(at);
              let u = read_u(at);
#if HOLD
              let dd = activate_gradient(delta) * LN2 * sum.y;
#else
              let dd = activate_gradient(delta) * fma(u, sum.x, LN2 * sum.y);
#end
              let dy = cotangent(at, 1.0);
#if HAS_D && DIRECT
              let skip = read_work($SKIP + own);
#else
              let skip = 0.0;
#end
              ddskip = fma(dy, u, ddskip);
              dbias += dd;
              write_ddelta(at, dd);
#if HOLD
              write_du(at, fma(skip, dy, sum.x));
#else
              write_du(at, fma(delta, sum.x, skip * dy));
#end
#if HAS_Z
#if DIRECT
              let gate = read_z(at);
              let s = sigmoid(gate);
              write_dz(at, read_dy(at) * fma(skip, u, sum.z) * s * (1.0 + gate * (1.0 - s)));
#else
              write_dz(at, sum.z);
#end
#end
            }
          }
          workgroupBarrier();
          if (tile == row0) { break; }
        }
      }
    }
    if (block + c < $D) {
      let at = $CARRIES + ((batch * $CHUNKS + chunk) * $D + channel) * $N + n;
      write_work(at, da.x);
      if (n + 1 < $N) { write_work(at + 1, da.y); }
    }
    rows[adder] = ddskip;
    rows[$WORKGROUP + adder] = dbias;
    workgroupBarrier();
    if (lane < $CHANNELS && block + lane < $D) {
      var sum = vec2f();
      for (var i = 0u; i < $TEAM; i++) {
        sum += vec2f(rows[i * $CHANNELS + lane], rows[$WORKGROUP + i * $CHANNELS + lane]);
      }
      let at = $SUMS + ((batch * $CHUNKS + chunk) * $D + block + lane) * 2;
      write_work(at, sum.x);
      write_work(at + 1, sum.y);
    }
    workgroupBarrier();
  }
#end
