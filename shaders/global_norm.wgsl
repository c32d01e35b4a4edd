// norm = √Σ gradient[i]², times `factor` where FACTOR, in two stages of fixed order.
// PARTIAL: THREADS threads add the squares of every THREADS-th vec4f, so neighbours read neighbouring addresses.
// Otherwise: one workgroup adds the partial sums the same way, and its first lane the lanes' sums: one barrier in all.
// HALTS: halted ← 1 where the norm is not finite, or the loss where LOSS; it is never set back. (By the bits: compilers may
// take floats for finite.)
// Bytes 4·n + 8·THREADS; FLOPs 2·n.

#if HALTS
fn finite(value: f32) -> bool { return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u; }
#end

#if PARTIAL
#main thread thread
  var sum = vec4f(0.0);
  for (var i = thread; i < $VECTORS; i += $THREADS) { sum += read_gradient(i) * read_gradient(i); }
  write_partial(thread, (sum.x + sum.y) + (sum.z + sum.w));
#end
#else
var<workgroup> sums: array<f32, $WORKGROUP>;

#main workgroup group
  var sum = 0.0;
  for (var i = lane; i < $PARTIALS; i += $WORKGROUP) { sum += read_partial(i); }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane > 0) { return; }
  for (var i = 1u; i < $WORKGROUP; i++) { sum += sums[i]; }
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
