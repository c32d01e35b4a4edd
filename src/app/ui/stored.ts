/** Small choices that outlive the page. Where storage is forbidden they last as long as the page does. */

const PREFIX = 'smokescan.';

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Blocked or full storage only means that the choice is asked for again.
  }
}
