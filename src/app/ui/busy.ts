/** Whether something is computed, in this tab or in another one of this origin: each holds a part of one lock meanwhile. */

const NAME = 'smokescan busy';

/** Until the function that it returns is called. */
export function stayBusy(): () => void {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  // Without locks there is no service worker either, which alone asks for them.
  void navigator.locks?.request(NAME, { mode: 'shared' }, () => ended);
  return end;
}

/** Does `work`, which keeps others from computing until it is done; false where something is computed. */
export const whileNobodyComputes = (work: () => Promise<void>): Promise<boolean> =>
  navigator.locks.request(NAME, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
    return lock !== null;
  });
