// Σ of `count` values of the binding SUMMED, `apart` from each other, in ascending order. Eight loads are under way at a time: a
// GPU would else wait for each before it asks for the next.
fn sum_in_order(first: u32, apart: u32, count: u32) -> f32 {
  var sum = 0.0;
  var i = 0u;
  for (; i + 8 <= count; i += 8) {
#for k in 0..8
    let value_$k = read_$SUMMED(first + (i + $k) * apart);
#end
#for k in 0..8
    sum += value_$k;
#end
  }
  for (; i < count; i++) { sum += read_$SUMMED(first + i * apart); }
  return sum;
}
