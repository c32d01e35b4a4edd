/** A recording or annotation file that cannot be used: a sentence that names the file, the field and what is wrong. */
export class DataError extends Error {
  override name = 'DataError';

  /**
   * `file`: name or path as the person knows it. `field`: where in the file, e.g. `digital maximum of signal 3 (Cz)`.
   * `problem`: what is wrong and, where there is something to do, what to do.
   */
  constructor(
    readonly file: string,
    readonly field: string,
    readonly problem: string,
  ) {
    super(`${file}, ${field}: ${problem}`);
  }
}
