// accumulated ← (accumulated, or 0 for the first micro-batch) + gradient · share, share = 1 / micro-batches.
// A thread owns four neighbouring values. Bytes 12 a value; FLOPs 2.
#main thread i
  // Not a product with 0: what the last update left may not be finite.
  let before = select(read_accumulated(i), vec4f(), step.micro == 0);
  write_accumulated(i, fma(read_gradient(i), vec4f(step.micro_share), before));
#end
