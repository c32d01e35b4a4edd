/** Comma-separated values (RFC 4180). */

/**
 * A line of cells. A cell that a spreadsheet would take for a formula starts with an apostrophe; numbers stay
 * numbers.
 */
export function csvLine(cells: readonly string[]): string {
  const quoted = cells.map((cell) => {
    const formula = /^[\s]*[=+\-@\t\r]/.test(cell) && !/^-?\d+(\.\d+)?(e-?\d+)?$/i.test(cell);
    const safe = formula ? `'${cell}` : cell;
    return /[",\r\n]/.test(safe) || formula ? `"${safe.replaceAll('"', '""')}"` : safe;
  });
  return `${quoted.join(',')}\r\n`;
}

/**
 * The cells of a text, line by line; empty lines are left out. Line ends are LF, CR LF or CR. A quote that is not closed takes the
 * rest of the text.
 */
export function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end = ''] of text.matchAll(
    /(?:"([^"]*(?:""[^"]*)*)(?:"|$))?([^,\r\n]*)(,|\r\n|\r|\n|$)/g,
  )) {
    row.push((quoted ?? '').replaceAll('""', '"') + plain);
    if (end === ',') continue;
    if (row.some((cell) => cell !== '')) rows.push(row);
    row = [];
  }
  return rows;
}
