// The scan of ssd_scan.wgsl step by step, for adapters on which lanes are few and barriers and loads dear; names as there.
//   forward: S ← e^{Δ A} S + Δ B xᵀ, y = C S + D x; ADJOINT, from the last step: S ← S + C dyᵀ, dx = Δ B S + D dy, S ← e^{Δ A} S.
// Both keep S as it enters a chunk, in the order of the walk, in `states` [b, chunks, H, N, P].
// A lane owns four channels of a head with all their states, 4·N values in registers; the lanes of a quad share the loads
// of B and C. P and N are multiples of 16. xbc, dy, y, dxbc and states are bound as vec4s: W4, D4 and P4 are a quarter of
// their rows. Loads and stores: 17 for four channels and a step, where ssd_scan.wgsl has over a hundred.
// Per channel and step 3·N multiply-adds; S in `states` every Q steps.

#main workgroup group
  let owner = group * 4 + lane;
  let p = owner % $P4;
  let line = owner / $P4;
  let h = line % $H;
  let b = line / $H;
  turn(h);
  let column = h * $P4 + p;
  let column_x = x_of(h) / 4 + p;
  let side_b = b_of(h) / 4 + lane;
  let side_c = c_of(h) / 4 + lane;
  let decay_rate = read_A(h);
  let skip = read_D_skip(h);
#for n in 0..N
  var s_$n = vec4f();
#end
  for (var k = 0u; k < $CHUNKS; k++) {
#if ADJOINT
    let chunk = ${CHUNKS - 1}u - k;
#else
    let chunk = k;
#end
    let kept = ((b * $CHUNKS + chunk) * $H + h) * ${N * P4} + p;
#for n in 0..N
    write_states(kept + ${n * P4}, s_$n);
#end
    let first = chunk * $Q;
    let rows = min(${Q}u, $L - first);
    for (var i = 0u; i < rows; i++) {
#if ADJOINT
      let step = first + rows - 1 - i;
#else
      let step = first + i;
#end
      let row = b * $L + row_of(step);
      let delta = read_steps((line * $L + step) * 2);
      let decay = exp(delta * decay_rate);
#for m in 0..N/16
      let own_b_$m = read_xbc(row * $W4 + side_b + ${4 * m});
      let own_c_$m = read_xbc(row * $W4 + side_c + ${4 * m});
#end
#for m in 0..N/4
      let b_$m = quadBroadcast(own_b_${m / 4}, ${m % 4}u);
      let c_$m = quadBroadcast(own_c_${m / 4}, ${m % 4}u);
#end
      var sum = vec4f();
#if ADJOINT
      let value = read_dy(row * $D4 + column);
#for n in 0..N
      s_$n = fma(vec4f(c_${n / 4}[${n % 4}]), value, s_$n);
      sum = fma(vec4f(b_${n / 4}[${n % 4}]), s_$n, sum);
      s_$n *= decay;
#end
      write_dxbc(row * $W4 + column_x, fma(vec4f(delta), sum, skip * value));
#else
      let value = read_xbc(row * $W4 + column_x);
      let added = delta * value;
#for n in 0..N
      s_$n = fma(vec4f(decay), s_$n, b_${n / 4}[${n % 4}] * added);
      sum = fma(vec4f(c_${n / 4}[${n % 4}]), s_$n, sum);
#end
      write_y(row * $D4 + column, fma(vec4f(skip), value, sum));
#end
    }
  }
#end
