// y[b, t, c] = x[b, L − 1 − t, c]. A thread owns one f32 of y, or one vec4f where 4 divides the channels.
// C counts in elements of that type. Bytes: both tensors once. No FLOPs.
#main thread i
  let row = i / $C;
  let t = row % $L;
  write_y(i, read_x((row - t + ${L - 1} - t) * $C + i % $C));
#end
