// norm = √Σ gradient[i]², times `factor` where FACTOR, in two stages of fixed order.
// PARTIAL: THREADS threads add the squares of every THREADS-th vec4f, so neighbours read neighbouring addresses.
// Otherwise: one workgroup adds the partial sums the same way, and its first lane the lanes' sums: one barrier in all.
// Bytes 4·n + 8·THREADS; FLOPs 2·n.

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
  write_norm(0, sqrt(sum) * read_factor(0));
#else
  write_norm(0, sqrt(sum));
#end
#end
#end
