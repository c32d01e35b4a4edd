/** The same promise, which counts as handled until somebody awaits it. */
export function handled<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}
