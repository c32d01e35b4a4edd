// Where the SSD scan finds what. The row of a step: the scan may go from the last row to the first; FIRST_ROW is L − 1 then, and
// ROW_STEP −1 in two's complement. With HALVES the second half of the heads does, and x, B and C lie side by side for each half:
// a kernel calls `turn` first. And where in a row of xbc x, B and C of a head begin.
#if HALVES
var<private> turned: bool;
fn turn(h: u32) { turned = h >= ${H / 2}; }
fn row_of(step: u32) -> u32 { return select(step, $L - 1 - step, turned); }
fn x_of(h: u32) -> u32 { return h * $P + h / ${H / 2} * ${G * N}; }
fn b_of(h: u32) -> u32 { return ${D / 2}u + h / ${H / 2} * ${D / 2 + G * N / 2} + h / ${H / G} * $N; }
fn c_of(h: u32) -> u32 { return b_of(h) + ${G * N / 2}; }
#else
fn turn(h: u32) {}
fn row_of(step: u32) -> u32 { return $FIRST_ROW + step * $ROW_STEP; }
fn x_of(h: u32) -> u32 { return h * $P; }
fn b_of(h: u32) -> u32 { return $D + h / ${H / G} * $N; }
fn c_of(h: u32) -> u32 { return b_of(h) + ${G * N}; }
#end
