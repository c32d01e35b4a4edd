// Element by element, before or after the scan's kernels, to keep those within eight storage buffers.
// DELTA: out ← softplus(delta + bias). GATE: dy' ← dy · silu(z), into the buffer of du.
// KEEP_D: D into work, for a kernel that has no binding left for it.
// FINISH: du += D dy', dz ← dy (y_scan + D u) silu'(z), where dz holds y_scan = C·h on entry.
// A thread owns one (b, l, d). Bytes 4·(tensors touched)·b·l·d; bound by bandwidth.

#main thread i
#if DELTA
#if BIAS
  write_out(i, activate(read_delta(i) + read_bias(i % $D)));
#else
  write_out(i, activate(read_delta(i)));
#end
#end
#if KEEP_D
  if (i < $D) { write_work($SKIP + i, read_d_skip(i)); }
#end
#if HAS_Z
  let gate = read_z(i);
  let s = sigmoid(gate);
  let dy_scan = read_dy(i) * gate * s;
#else
#if GATE || FINISH
  let dy_scan = read_dy(i);
#end
#end
#if GATE
  write_du(i, dy_scan);
#end
#if FINISH
#if HAS_D
  let skip = read_d_skip(i % $D);
  write_du(i, fma(skip, dy_scan, read_du(i)));
#if HAS_Z
  let y_scan = fma(skip, read_u(i), read_dz(i));
#end
#else
#if HAS_Z
  let y_scan = read_dz(i);
#end
#end
#if HAS_Z
  write_dz(i, read_dy(i) * y_scan * s * (1.0 + gate * (1.0 - s)));
#end
#end
#end
