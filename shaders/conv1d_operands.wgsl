// The operands of matmul.wgsl that make a product a convolution. x [batch, L, 4·D] is read by windows: a window starts at a
// step and covers the steps that follow, which lie together in memory, so no window is ever copied. What it covers
// before the first and after the last step is 0 (GUARD: some window does).
// ROWS: A is the windows, one a row (t of LINES; the window starts STRIDE·t − SHIFT), B the packed weights [n, k].
//   C is y, rows b·LINES + t; where SCATTER, row t is step OUT_STRIDE·t + OUT_PHASE of OUT_LENGTH.
// Otherwise A is dy [batch, LINES, M_LINE] and B the windows, k walks the rows of both, each batch element padded to
//   fours or sixteens, and C is the gradient of the weight [o, c, KERNEL] (columns are (tap, c of 4·D)).
// All lengths in memory are counted in vec4s here.

#if GUARD
fn take(start: u32, at: u32) -> vec4f { return select(vec4f(), read_x(start + at), at < ${L * D}u); }
#else
fn take(start: u32, at: u32) -> vec4f { return read_x(start + at); }
#end

// Where batch element b starts, and the window of line t in it; before the first step that wraps around.
fn window(b: u32, t: u32) -> vec2u {
#if AHEAD
  return vec2u(b * ${L * D}u, t * ${STRIDE * D}u + ${-SHIFT * D}u);
#else
  return vec2u(b * ${L * D}u, t * ${STRIDE * D}u - ${SHIFT * D}u);
#end
}

#if ROWS
fn line_a(m: u32) -> vec2u {
#if BATCH == 1
  return window(0, min(m, ${M - 1}u));
#else
  let row = min(m, ${M - 1}u);
  return window(row / $LINES, row % $LINES);
#end
}
fn load_a(line: vec2u, at: u32) -> vec4f { return take(line.x, line.y + at / 4); }
fn line_b(n: u32) -> u32 { return min(n, ${N - 1}u) * ${K / 4}; }
fn load_b(line: u32, at: u32) -> vec4f { return read_w(line + at / 4); }

fn row_of(m: u32) -> u32 {
#if SCATTER
  return m / $LINES * $OUT_LENGTH + m % $LINES * $OUT_STRIDE + $OUT_PHASE;
#else
  return m;
#end
}
#if STORE_FOURS
fn store(m: u32, n: u32, split: u32, value: vec4f) {
#if GUARD_M || GUARD_N
  if (m >= $M || n >= $N) { return; }
#end
#if PARTIAL
  write_partial(((split * $M + m) * $N + n) / 4, value);
#else
#if BIAS
  write_y((row_of(m) * $N + n) / 4, value + read_bias(n / 4 % ${BIAS_LENGTH / 4}));
#else
  write_y((row_of(m) * $N + n) / 4, value);
#end
#end
}
#else
fn store(m: u32, n: u32, split: u32, value: f32) {
#if GUARD_M || GUARD_N
  if (m >= $M || n >= $N) { return; }
#end
#if PARTIAL
  write_partial((split * $M + m) * $N + n, value);
#else
#if BIAS
  write_y(row_of(m) * $N + n, value + read_bias(n % $BIAS_LENGTH));
#else
  write_y(row_of(m) * $N + n, value);
#end
#end
}
#end
#else
// Batch element and line.
alias Position = vec2u;
fn position(k: u32) -> Position {
#if BATCH == 1
  return vec2u(0, k);
#else
  return vec2u(k / $PADDED_LINES, k % $PADDED_LINES);
#end
}
fn step(p: Position, e: u32) -> Position { return vec2u(p.x, p.y + e); }
fn next(p: Position) -> Position {
#if BATCH == 1
  return vec2u(0, p.y + 4);
#else
  let wraps = p.y + 4 >= $PADDED_LINES;
  return vec2u(p.x + u32(wraps), select(p.y + 4, 0u, wraps));
#end
}

#if LINES_PADDED
// Beyond the last line both its number and what it holds count as 0.
fn line_a(p: Position) -> vec2u {
  return vec2u((p.x * $LINES + p.y) * $M_LINE, select(0u, 1u, p.y < $LINES));
}
fn load_a(line: vec2u, at: u32) -> vec4f {
  return select(vec4f(), read_dy(line.x + min(at / 4, ${M_LINE - 1}u)), line.y == 1);
}
#else
fn line_a(p: Position) -> u32 { return (p.x * $LINES + p.y) * $M_LINE; }
fn load_a(line: u32, at: u32) -> vec4f { return read_dy(line + min(at / 4, ${M_LINE - 1}u)); }
#end
fn line_b(p: Position) -> vec2u { return window(p.x, p.y); }
fn load_b(line: vec2u, at: u32) -> vec4f { return take(line.x, line.y + at / 4); }

#if STORE_FOURS
fn store(m: u32, n: u32, split: u32, value: vec4f) {
#if GUARD_M || GUARD_N
  if (m >= $M || n >= $N) { return; }
#end
#if PARTIAL
  write_partial(((split * $M + m) * $N + n) / 4, value);
#else
  // The gradient itself has its taps last, and no padded channels.
  let c = n % ${4 * D};
  let to = (m * $CHANNELS + c) * $KERNEL + n / ${4 * D};
#for e in 0..4
  if (c + $e < $CHANNELS) { write_y(to + $e * $KERNEL, value[$e]); }
#end
#end
}
#else
fn store(m: u32, n: u32, split: u32, value: f32) {
#if GUARD_M || GUARD_N
  if (m >= $M || n >= $N) { return; }
#end
#if PARTIAL
  write_partial((split * $M + m) * $N + n, value);
#else
  let c = n % ${4 * D};
  if (c < $CHANNELS) { write_y((m * $CHANNELS + c) * $KERNEL + n / ${4 * D}, value); }
#end
}
#end
#end
