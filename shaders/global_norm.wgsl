// norm = √Σ gradient[i]², times `factor` where FACTOR, in two stages of fixed order.
// PARTIAL: THREADS threads add the squares of every THREADS-th vec4f, so neighbours read neighbouring addresses.
// Otherwise: one workgroup adds the partial sums.
// HALTS: halted ← 1 where the norm is not finite, or the loss where LOSS; it is never set back. (By the bits: compilers may
// take floats for finite.)
// Bytes 4·n + 8·THREADS; FLOPs 2·n.

#if HALTS
fn finite(value: f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }
#end

#if PARTIAL
fn square(i: u32) -> f32 {
  let four = read_gradient(i);
  return dot(four, four);
}

#main thread thread
  write_partial(thread, sum_in_order(thread, $THREADS, ($VECTORS - thread + ${THREADS - 1}) / $THREADS, lane));
#end
#else
#main workgroup group
  let sum = sum_in_order(0, 1, $PARTIALS, lane);
  if (lane > 0) { return; }
#if FACTOR
  let norm = sqrt(sum) * read_factor(0);
#else
  let norm = sqrt(sum);
#end
  write_norm(0, norm);
#if HALTS
#if LOSS
  if (!finite(norm) || !finite(read_loss(0))) { write_halted(0, 1u); }
#else
  if (!finite(norm)) { write_halted(0, 1u); }
#end
#end
#end
#end
