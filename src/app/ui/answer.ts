/** What a page asked a worker for, or a sentence for the person that says why it cannot be given. */
export type Answer<T> = { readonly value: T } | { readonly problem: string };

/** The value that `make` returns. The message of a RangeError is the problem; any other error is a defect and is thrown. */
export function answer<T>(make: () => T): Answer<T> {
  try {
    return { value: make() };
  } catch (error) {
    if (error instanceof RangeError) return { problem: error.message };
    throw error;
  }
}
