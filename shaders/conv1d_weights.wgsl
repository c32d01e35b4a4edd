// Weights of convolutions in the order in which conv1d_operands.wgsl reads them: packed [rows, taps, to] of each, one after
// another from multiples of 64, from `weight`. In `table` each has FIELDS values, in ascending order of the first:
//   where its packed elements begin and end, where its weight begins, taps, to (channels to the next four), from (channels),
//   block, row stride, channel stride, first tap, tap step (added modulo 2³²).
//   packed[r, i, s] = weight[r % block · row stride + s · channel stride + first tap + r / block + i · tap step], 0 for s ≥ from
// A thread owns PER elements, WORKGROUP apart; 64 that lie together are of one weight. MIDDLE: the greatest power of two
// within ROWS. Between two weights nothing is written.
fn entry(row: u32, field: u32) -> u32 { return read_table(row * $FIELDS + field); }

#main items first..last
  var row = 0u;
  for (var half = $MIDDLE; half > 0; half /= 2) {
    if (row + half < $ROWS && entry(row + half, 0) <= first) { row += half; }
  }
  for (var i = first; i < last; row++) {
    let begin = entry(row, 0);
    let end = entry(row, 1);
    let taps = entry(row, 3);
    let to = entry(row, 4);
    let channels = entry(row, 5);
    let block = entry(row, 6);
    let row_stride = entry(row, 7);
    let channel_stride = entry(row, 8);
    let first_tap = entry(row, 2) + entry(row, 9);
    let tap_step = entry(row, 10);
    for (let next = min(last, (end + 63) / 64 * 64); i < next; i += $WORKGROUP) {
      let at = i - begin;
      let channel = at % to;
      let line = at / to;
      let n = line / taps;
      let tap = first_tap + n / block + line % taps * tap_step;
      let source = n % block * row_stride + min(channel, channels - 1) * channel_stride + tap;
      if (i < end) { write_packed(i, select(0.0, read_weight(source), channel < channels)); }
    }
  }
#end
