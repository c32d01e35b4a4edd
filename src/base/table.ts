/** A single long name does not widen its column beyond this. */
const MAX_WIDTH = 80;

/** Rows of text as lines with aligned columns, without spaces at their ends. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const cells of rows)
    for (const [i, cell] of cells.entries())
      widths[i] = Math.max(widths[i] ?? 0, Math.min(cell.length, MAX_WIDTH));
  return rows.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
