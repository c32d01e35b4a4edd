// The operands of matmul.wgsl that are matrices: A [m, k] or [k, m], B [n, k] or [k, n]; *_VECTOR: 4 divides their lines.
// With GROUPS A is [m, GROUPS, k] or [k, GROUPS, m], B [GROUPS, n, k], [GROUPS, k, n] or, where A goes along m, [k, GROUPS, n], and
// C [m, GROUPS, n] or, where A goes along m, [GROUPS, m, n].
#if GROUPS > 1
var<private> part: u32;
#else
const part = 0u;
#end
alias Position = u32;
fn position(k: u32) -> Position { return k; }
fn step(p: Position, e: u32) -> Position { return p + e; }
fn next(p: Position) -> Position { return p + 4; }

// Rows beyond the last read somebody else's finite values, which are never stored; beyond the last k both factors are 0.
// No branch there: unrolled, it would cost CPU-backed compilers minutes.
#if A_K_MAJOR
fn line_a(m: u32) -> u32 { return (min(m, ${M - 1}u) * $GROUPS + part) * $K; }
#else
fn line_a(p: Position) -> u32 { return (p * $GROUPS + part) * $M; }
#end
#if A_VECTOR
fn load_a(line: u32, at: u32) -> vec4f {
#if A_K_MAJOR
  return read_a((line + at) / 4);
#else
  let value = read_a((line + min(at, ${M - 4}u)) / 4);
#if K_BY_FOURS
  return value;
#else
  return select(value, vec4f(), line >= ${M * K * GROUPS});
#end
#end
}
#else
fn a_at(line: u32, at: u32) -> f32 {
  let value = read_a(min(line + at, ${M * K * GROUPS - 1}u));
#if K_BY_FOURS
  return value;
#end
#if !K_BY_FOURS && A_K_MAJOR
  return select(value, 0.0, at >= $K);
#end
#if !K_BY_FOURS && !A_K_MAJOR
  return select(value, 0.0, line >= ${M * K * GROUPS});
#end
}
fn load_a(line: u32, at: u32) -> vec4f {
  return vec4f(a_at(line, at), a_at(line, at + 1), a_at(line, at + 2), a_at(line, at + 3));
}
#end
#if B_K_MAJOR
fn line_b(n: u32) -> u32 { return (part * $N + min(n, ${N - 1}u)) * $K; }
#end
#if !B_K_MAJOR && A_K_MAJOR
fn line_b(p: Position) -> u32 { return (part * $K + p) * $N; }
#end
#if !B_K_MAJOR && !A_K_MAJOR
fn line_b(p: Position) -> u32 { return (p * $GROUPS + part) * $N; }
#end
#if B_VECTOR
fn load_b(line: u32, at: u32) -> vec4f {
#if B_K_MAJOR
  return read_b((line + at) / 4);
#else
  let value = read_b((line + min(at, ${N - 4}u)) / 4);
#if K_BY_FOURS
  return value;
#else
  return select(value, vec4f(), line >= ${N * K * GROUPS});
#end
#end
}
#else
fn b_at(line: u32, at: u32) -> f32 {
  let value = read_b(min(line + at, ${N * K * GROUPS - 1}u));
#if K_BY_FOURS
  return value;
#end
#if !K_BY_FOURS && B_K_MAJOR
  return select(value, 0.0, at >= $K);
#end
#if !K_BY_FOURS && !B_K_MAJOR
  return select(value, 0.0, line >= ${N * K * GROUPS});
#end
}
fn load_b(line: u32, at: u32) -> vec4f {
  return vec4f(b_at(line, at), b_at(line, at + 1), b_at(line, at + 2), b_at(line, at + 3));
}
#end

fn row_of(m: u32) -> u32 {
#if A_K_MAJOR
  return m * $GROUPS + part;
#else
  return part * $M + m;
#end
}

#if STORE_FOURS
fn store(m: u32, n: u32, split: u32, value: vec4f) {
#if GUARD_M || GUARD_N
  if (m >= $M || n >= $N) { return; }
#end
#if PARTIAL
  write_partial(((split * ${M * GROUPS} + row_of(m)) * $N + n) / 4, value);
#else
#if BIAS
  write_y((row_of(m) * $N + n) / 4, value + read_bias((part * $N + n) / 4));
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
  write_partial((split * ${M * GROUPS} + row_of(m)) * $N + n, value);
#else
#if BIAS
  write_y(row_of(m) * $N + n, value + read_bias(part * $N + n));
#else
  write_y(row_of(m) * $N + n, value);
#end
#end
}
#end
