// The row of a step of the SSD scan, which may go from the last row to the first: FIRST_ROW is L − 1 then, and ROW_STEP −1 in
// two's complement.
fn row_of(step: u32) -> u32 {
  return $FIRST_ROW + step * $ROW_STEP;
}
