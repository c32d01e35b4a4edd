// C[m, n] = Σ_k A(m, k) B(k, n): the tile of every product. The operands are read by the file that is put in front of it:
//   matmul_operands.wgsl for matrices, conv1d_operands.wgsl for overlapping windows.
// An operand consists of lines that lie together in memory: one line per row (A_K_MAJOR: A is stored [m, k]) or one line
// per k (A is stored [k, m]); B_K_MAJOR likewise. line_a and line_b find a line, load_a and load_b four values in it.
// A Position says where in k the walk is: position(k) finds it, step(p, e) is e further, within what is
// walked at once (four k's, or the TK of a tile), next(p) is four further.
// A thread owns a tile of TM × TN outputs in registers. Without SHARED it walks k by fours and reads its rows from
// memory directly (caches serve the neighbours; barriers are dear on CPU-backed adapters). With SHARED a workgroup of
// WX × WY threads stages [WY·TM, TK] of A and [TK, WX·TN] of B in workgroup memory first, SLOTS_A and SLOTS_B vec4s a lane:
// neighbours load what lies together (64 bytes of a line along k, else a tile's width), and of a thread's rows and columns
// each four lie together, so that neighbours read neighbouring vec4s of one k. Drivers unroll the loop over k where registers
// allow; vec4s of four k's instead, or text that is unrolled, made Intel's compiler spill.
// store writes one value, or four of a row where STORE_FOURS; it looks for the end of rows and columns only where the tiles
// go beyond it (GUARD_M, GUARD_N): a branch for every output takes longer to compile than all the rest.
// GROUPS: so many products at once; the operands' file finds those of `part`.
// PARTIAL: k is cut into spans, each a slice of `partial`, summed in order by a second kernel.
// FLOPs 2·M·N·K; bytes 4·(M·K + K·N + M·N) at best.
// Tried: 8 × 8 tiles (fewest loads per FLOP), 4 × 4 (more threads for small outputs); no single choice wins everywhere,
// so the variants are timed per device.

#if SHARED
// Four rows (columns) of one k lie together. Where four lanes write them they are no vec4: compilers write a component of a
// vector by writing all of it (Tint for FXC, clang for Metal), so that lanes would overwrite each other's.
#if A_K_MAJOR
var<workgroup> tile_a: array<f32, ${4 * PITCH_A * TK}>;
#else
var<workgroup> tile_a: array<vec4f, ${PITCH_A * TK}>;
#end
#if B_K_MAJOR
var<workgroup> tile_b: array<f32, ${4 * PITCH_B * TK}>;
#else
var<workgroup> tile_b: array<vec4f, ${PITCH_B * TK}>;
#end
#end

#main workgroup group
#if GROUPS > 1
  part = group / $TILES % $GROUPS;
  let split = group / $TILES / $GROUPS;
#else
  let split = group / $TILES;
#end
  let tile = group % $TILES;
  let tile_m = tile / $TILES_N * ${WY * TM};
  let tile_n = tile % $TILES_N * ${WX * TN};
#if QUAD
  // Lanes of a quad: 0 1 / 2 3. Left and right need the same rows of A, so each loads half of them and they swap;
  // upper and lower likewise for B. A lane's own half comes first in its registers: row(i), column(j) undo that.
  let quad = lane / 4;
  let qm = lane / 2 % 2;
  let qn = lane % 2;
  let m = tile_m + (quad / ${WX / 2} * 2 + qm) * $TM;
  let n = tile_n + (quad % ${WX / 2} * 2 + qn) * $TN;
  let m_own = m + qn * ${TM / 2};
  let m_other = m + (1 - qn) * ${TM / 2};
  let n_own = n + qm * ${TN / 2};
  let n_other = n + (1 - qm) * ${TN / 2};
#end
#if !QUAD && !SHARED
  let m_own = tile_m + lane / $WX * $TM;
  let n_own = tile_n + lane % $WX * $TN;
#end
  let k0 = split * $SPAN;
  let k1 = min(k0 + $SPAN, ${K}u);
#for i in 0..TM
#for j in 0..TN
  var c_${i}_${j} = 0.0;
#end
#end
#if SHARED
  let ty = lane / $WX;
  let tx = lane % $WX;
#if A_K_MAJOR
  let row_a = lane / ${TK / 4};
  let to_a = lane % ${TK / 4} * ${16 * PITCH_A} + row_a;
#for s in 0..SLOTS_A
  let line_a_$s = line_a(tile_m + row_a + ${s * APART});
#end
#else
  let k_a = lane / ${WY * TM / 4};
  let at_a = tile_m + lane % ${WY * TM / 4} * 4;
#end
#if B_K_MAJOR
  let row_b = lane / ${TK / 4};
  let to_b = lane % ${TK / 4} * ${16 * PITCH_B} + row_b;
#for s in 0..SLOTS_B
  let line_b_$s = line_b(tile_n + row_b + ${s * APART});
#end
#else
  let k_b = lane / ${WX * TN / 4};
  let at_b = tile_n + lane % ${WX * TN / 4} * 4;
#end
  for (var base = k0; base < k1; base += ${TK}u) {
#if A_K_MAJOR || B_K_MAJOR
    let quad_k = base + lane % ${TK / 4} * 4;
#end
#if !A_K_MAJOR || !B_K_MAJOR
    let p = position(base);
#end
#for s in 0..SLOTS_A
#if A_K_MAJOR
    var stage_a_$s = load_a(line_a_$s, quad_k);
#if GUARD_K
    stage_a_$s = select(vec4f(), stage_a_$s, quad_k < k1);
#end
#else
    var stage_a_$s = load_a(line_a(step(p, k_a + ${s * LANES * 4 / (WY * TM)})), at_a);
#if GUARD_K
    stage_a_$s = select(vec4f(), stage_a_$s, base + k_a + ${s * LANES * 4 / (WY * TM)} < k1);
#end
#end
#end
#for s in 0..SLOTS_B
#if B_K_MAJOR
    var stage_b_$s = load_b(line_b_$s, quad_k);
#if GUARD_K
    stage_b_$s = select(vec4f(), stage_b_$s, quad_k < k1);
#end
#else
    var stage_b_$s = load_b(line_b(step(p, k_b + ${s * LANES * 4 / (WX * TN)})), at_b);
#if GUARD_K
    stage_b_$s = select(vec4f(), stage_b_$s, base + k_b + ${s * LANES * 4 / (WX * TN)} < k1);
#end
#end
#end
    workgroupBarrier();
#if WY * TM * TK / 4 < LANES
    if (lane < ${WY * TM * TK / 4}) {
#end
#for s in 0..SLOTS_A
#if A_K_MAJOR
#for e in 0..4
    tile_a[to_a + ${4 * e * PITCH_A + s * APART}] = stage_a_$s[$e];
#end
#else
    tile_a[lane + ${s * LANES}] = stage_a_$s;
#end
#end
#if WY * TM * TK / 4 < LANES
    }
#end
#if WX * TN * TK / 4 < LANES
    if (lane < ${WX * TN * TK / 4}) {
#end
#for s in 0..SLOTS_B
#if B_K_MAJOR
#for e in 0..4
    tile_b[to_b + ${4 * e * PITCH_B + s * APART}] = stage_b_$s[$e];
#end
#else
    tile_b[lane + ${s * LANES}] = stage_b_$s;
#end
#end
#if WX * TN * TK / 4 < LANES
    }
#end
    workgroupBarrier();
    for (var k = 0u; k < $TK; k++) {
#for i in 0..TM/4
      let at_a_$i = k * $PITCH_A + ty + ${i * WY};
#if A_K_MAJOR
      let a_$i = vec4f(tile_a[4 * at_a_$i], tile_a[4 * at_a_$i + 1], tile_a[4 * at_a_$i + 2], tile_a[4 * at_a_$i + 3]);
#else
      let a_$i = tile_a[at_a_$i];
#end
#end
#for j in 0..TN/4
      let at_b_$j = k * $PITCH_B + tx + ${j * WX};
#if B_K_MAJOR
      let b_$j = vec4f(tile_b[4 * at_b_$j], tile_b[4 * at_b_$j + 1], tile_b[4 * at_b_$j + 2], tile_b[4 * at_b_$j + 3]);
#else
      let b_$j = tile_b[at_b_$j];
#end
#end
#for i in 0..TM
#for j in 0..TN
      c_${i}_${j} = fma(a_${i / 4}[${i % 4}], b_${j / 4}[${j % 4}], c_${i}_${j});
#end
#end
    }
  }
#else
#if A_K_MAJOR
#for i in 0..OWN_M
  let line_a_$i = line_a(m_own + $i);
#end
#end
#if B_K_MAJOR
#for j in 0..OWN_N
  let line_b_$j = line_b(n_own + $j);
#end
#end
#if !A_K_MAJOR || !B_K_MAJOR
  var p = position(k0);
#end
  for (var k = k0; k < k1; k += 4u) {
#if A_K_MAJOR
#for i in 0..OWN_M
    let a_$i = load_a(line_a_$i, k);
#end
#for i in OWN_M..TM
    let a_$i = quadSwapX(a_${i - OWN_M});
#end
#else
#for e in 0..4
    let line_a_$e = line_a(step(p, $e));
#for i in 0..OWN_M/4
    let a_${i}_${e} = load_a(line_a_$e, m_own + ${4 * i});
#end
#for i in OWN_M/4..TM/4
    let a_${i}_${e} = quadSwapX(a_${i - OWN_M / 4}_${e});
#end
#end
#end
#if B_K_MAJOR
#for j in 0..OWN_N
    let b_$j = load_b(line_b_$j, k);
#end
#for j in OWN_N..TN
    let b_$j = quadSwapY(b_${j - OWN_N});
#end
#else
#for e in 0..4
    let line_b_$e = line_b(step(p, $e));
#for j in 0..OWN_N/4
    let b_${j}_${e} = load_b(line_b_$e, n_own + ${4 * j});
#end
#for j in OWN_N/4..TN/4
    let b_${j}_${e} = quadSwapY(b_${j - OWN_N / 4}_${e});
#end
#end
#end
    // One expression per output: a variable is read and written once per four steps of k.
#for i in 0..TM
#for j in 0..TN
#if A_K_MAJOR && B_K_MAJOR
    c_${i}_${j} = fma(a_$i[3], b_$j[3], fma(a_$i[2], b_$j[2], fma(a_$i[1], b_$j[1], fma(a_$i[0], b_$j[0], c_${i}_${j}))));
#end
#if A_K_MAJOR && !B_K_MAJOR
    c_${i}_${j} = fma(a_$i[3], b_${j / 4}_3[${j % 4}], fma(a_$i[2], b_${j / 4}_2[${j % 4}], fma(a_$i[1], b_${j / 4}_1[${j % 4}], fma(a_$i[0], b_${j / 4}_0[${j % 4}], c_${i}_${j}))));
#end
#if !A_K_MAJOR && B_K_MAJOR
    c_${i}_${j} = fma(a_${i / 4}_3[${i % 4}], b_$j[3], fma(a_${i / 4}_2[${i % 4}], b_$j[2], fma(a_${i / 4}_1[${i % 4}], b_$j[1], fma(a_${i / 4}_0[${i % 4}], b_$j[0], c_${i}_${j}))));
#end
#if !A_K_MAJOR && !B_K_MAJOR
    c_${i}_${j} = fma(a_${i / 4}_3[${i % 4}], b_${j / 4}_3[${j % 4}], fma(a_${i / 4}_2[${i % 4}], b_${j / 4}_2[${j % 4}], fma(a_${i / 4}_1[${i % 4}], b_${j / 4}_1[${j % 4}], fma(a_${i / 4}_0[${i % 4}], b_${j / 4}_0[${j % 4}], c_${i}_${j}))));
#end
#end
#end
#if !A_K_MAJOR || !B_K_MAJOR
    p = next(p);
#end
  }
#end
#if QUAD
  let m_rest = m_other;
  let n_rest = n_other;
#end
#if !QUAD && !SHARED
  let m_rest = m_own;
  let n_rest = n_own;
#end
#for i in 0..TM
#if SHARED
  let row_$i = tile_m + ty * 4 + ${i / 4 * 4 * WY + i % 4};
#end
#if !SHARED && i < OWN_M
  let row_$i = m_own + $i;
#end
#if !SHARED && i >= OWN_M
  let row_$i = m_rest + ${i - OWN_M};
#end
#if SHARED && STORE_FOURS
#for j in 0..TN/4
  store(row_$i, tile_n + tx * 4 + ${4 * j * WX}, split, vec4f(c_${i}_${4 * j}, c_${i}_${4 * j + 1}, c_${i}_${4 * j + 2}, c_${i}_${4 * j + 3}));
#end
#end
#if SHARED && !STORE_FOURS
#for j in 0..TN
  store(row_$i, tile_n + tx * 4 + ${j / 4 * 4 * WX + j % 4}, split, c_${i}_${j});
#end
#end
#if !SHARED && STORE_FOURS
#if OWN_N % 4 == 0
#for j in 0..OWN_N/4
  store(row_$i, n_own + ${4 * j}, split, vec4f(c_${i}_${4 * j}, c_${i}_${4 * j + 1}, c_${i}_${4 * j + 2}, c_${i}_${4 * j + 3}));
#end
#for j in OWN_N/4..TN/4
  store(row_$i, n_rest + ${4 * j - OWN_N}, split, vec4f(c_${i}_${4 * j}, c_${i}_${4 * j + 1}, c_${i}_${4 * j + 2}, c_${i}_${4 * j + 3}));
#end
#else
  // Two own columns and two others.
  store(row_$i, n, split, select(vec4f(c_${i}_0, c_${i}_1, c_${i}_2, c_${i}_3), vec4f(c_${i}_2, c_${i}_3, c_${i}_0, c_${i}_1), qm == 1));
#end
#end
#end
#if !SHARED && !STORE_FOURS
#if TM * TN < 64
#for i in 0..TM
#for j in 0..OWN_N
  store(row_$i, n_own + $j, split, c_${i}_${j});
#end
#for j in OWN_N..TN
  store(row_$i, n_rest + ${j - OWN_N}, split, c_${i}_${j});
#end
#end
#else
  // So many stores in a row, each with its branch, would take longer to compile than all the rest.
  var rows: array<u32, $TM>;
  var c: array<f32, ${TM * TN}>;
#for i in 0..TM
  rows[$i] = row_$i;
#for j in 0..TN
  c[${i * TN + j}] = c_${i}_${j};
#end
#end
  for (var i = 0u; i < $TM; i++) {
    for (var j = 0u; j < $TN; j++) {
      store(rows[i], select(n_rest + j - $OWN_N, n_own + j, j < $OWN_N), split, c[i * $TN + j]);
    }
  }
#end
#end
#end
