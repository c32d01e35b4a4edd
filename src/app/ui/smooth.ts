/** Exponential mean, so that a trend shows and curves can be told from each other; null where a value is not known. */
export function smooth(values: readonly number[]): (number | null)[] {
  let [sum, weight] = [0, 0];
  return values.map((value) => {
    if (!Number.isFinite(value)) return null;
    sum = 0.9 * sum + value;
    weight = 0.9 * weight + 1;
    return sum / weight;
  });
}
