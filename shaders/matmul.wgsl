// C[m, n] = Σ_k A(m, k) B(k, n): the tile of every product. The operands are read by the file that is put in front of it:
//   matmul_operands.wgsl for matrices, conv1d_operands.wgsl for overlapping windows.
// An operand consists of lines that lie together in memory: one line per row (A_K_MAJOR: A is stored [m, k]) or one line
// per k (A is stored [k, m]); B_K_MAJOR likewise. line_a and line_b find a line, load_a and load_b four values in it.
// A Position says where in k the walk is: position(k) finds it, step(p, e) is e ≤ 3 further, next(p) is four further.
// A thread owns a tile of TM × TN outputs in registers and walks k by fours. Without SHARED it reads its rows from
// memory directly (caches serve the neighbours; barriers are dear on CPU-backed adapters); with SHARED a workgroup of
// WX × WY threads stages [WY·TM, TK] of A and [TK, WX·TN] of B in workgroup memory first.
// store writes one value, or four of a row where STORE_FOURS; it looks for the end of rows and columns only where the tiles
// go beyond it (GUARD_M, GUARD_N): a branch for every output takes longer to compile than all the rest.
// SPLIT > 1 cuts k into that many spans, each a slice of `partial`, summed in order by a second kernel.
// FLOPs 2·M·N·K; bytes 4·(M·K + K·N + M·N) at best.
// Tried: 8 × 8 tiles (fewest loads per FLOP), 4 × 4 (more threads for small outputs); no single choice wins everywhere,
// so the variants are timed per device.

#if SHARED
var<workgroup> tile_a: array<f32, ${TK * WY * TM}>;
var<workgroup> tile_b: array<f32, ${TK * WX * TN}>;
#end

#main workgroup group
  let split = group / $TILES;
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
#else
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
  for (var base = k0; base < k1; base += ${TK}u) {
    // Both tiles are kept as [k][row], so that a thread reads its TM (TN) rows of one k as vec4s.
    for (var slot = lane; slot < ${TK * WY * TM / 4}u; slot += ${WX * WY}u) {
#if A_K_MAJOR
      let row = slot % ${WY * TM};
      let quad = slot / ${WY * TM} * 4;
      var v = vec4f();
      if (base + quad < k1) { v = load_a(line_a(tile_m + row), base + quad); }
#for e in 0..4
      tile_a[(quad + $e) * ${WY * TM} + row] = v[$e];
#end
#else
      let row = slot % ${WY * TM / 4} * 4;
      let k = slot / ${WY * TM / 4};
      var v = vec4f();
      if (base + k < k1) { v = load_a(line_a(position(base + k)), tile_m + row); }
#for e in 0..4
      tile_a[slot * 4 + $e] = v[$e];
#end
#end
    }
    for (var slot = lane; slot < ${TK * WX * TN / 4}u; slot += ${WX * WY}u) {
#if B_K_MAJOR
      let row = slot % ${WX * TN};
      let quad = slot / ${WX * TN} * 4;
      var v = vec4f();
      if (base + quad < k1) { v = load_b(line_b(tile_n + row), base + quad); }
#for e in 0..4
      tile_b[(quad + $e) * ${WX * TN} + row] = v[$e];
#end
#else
      let row = slot % ${WX * TN / 4} * 4;
      let k = slot / ${WX * TN / 4};
      var v = vec4f();
      if (base + k < k1) { v = load_b(line_b(position(base + k)), tile_n + row); }
#for e in 0..4
      tile_b[slot * 4 + $e] = v[$e];
#end
#end
    }
    workgroupBarrier();
    for (var k = 0u; k < ${TK}u; k++) {
#for i in 0..TM
      let a_$i = tile_a[k * ${WY * TM} + lane / $WX * $TM + $i];
#end
#for j in 0..TN
      let b_$j = tile_b[k * ${WX * TN} + lane % $WX * $TN + $j];
#end
#for i in 0..TM
#for j in 0..TN
      c_${i}_${j} = fma(a_$i, b_$j, c_${i}_${j});
#end
#end
    }
    workgroupBarrier();
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
#else
  let m_rest = m_own;
  let n_rest = n_own;
#end
#for i in 0..TM
#if i < OWN_M
  let row_$i = m_own + $i;
#else
  let row_$i = m_rest + ${i - OWN_M};
#end
#if STORE_FOURS
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
#if !STORE_FOURS
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
