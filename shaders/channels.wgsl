// SPLIT: a whole tensor [rows, c] (a row for each block of channels, where there are several) into pieces [rows, size]; otherwise such pieces into the whole. A thread owns PER f32 of
// the whole, or vec4f where 4 divides every size, WORKGROUP apart, so both sides are read and written coalesced. A piece that
// nobody reads is not written, a piece that is not there is zeros. Sizes count in elements of that type.
// Bytes: each tensor once. No FLOPs.
const STARTS = array<u32, $PIECES>($STARTS);
const SIZES = array<u32, $PIECES>($SIZES);

#main items first..last
  for (var i = first; i < last; i += $WORKGROUP) {
    let row = i / $CHANNELS;
    let channel = i % $CHANNELS;
#if SPLIT
    let value = read_whole(i);
#else
    var value = $TYPE(0.0);
#end
    // Before the piece's start the difference wraps around to a large number.
#for p in 0..PIECES
    if (channel - STARTS[$p] < SIZES[$p]) {
#if SPLIT
      write_piece$p(row * SIZES[$p] + channel - STARTS[$p], value);
#else
      value = read_piece$p(row * SIZES[$p] + channel - STARTS[$p]);
#end
    }
#end
#if !SPLIT
    write_whole(i, value);
#end
  }
#end
