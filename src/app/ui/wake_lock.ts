/** Keeps the machine from sleeping, where the browser can: while the page is looked at, which is all that browsers allow. */

/** Until the function that it returns is called. */
export function stayAwake(): () => void {
  let ended = false;
  let lock: WakeLockSentinel | undefined;
  const take = async (): Promise<void> => {
    if (ended || document.hidden || !('wakeLock' in navigator)) return;
    try {
      const taken = await navigator.wakeLock.request('screen');
      if (ended) await taken.release();
      else lock = taken;
    } catch {
      // On a battery that is low, or where the browser forbids it, the machine may sleep; the run then goes on afterwards.
    }
  };
  const again = (): void => void take();
  // The browser takes it back when the page is hidden.
  document.addEventListener('visibilitychange', again);
  void take();
  return () => {
    ended = true;
    document.removeEventListener('visibilitychange', again);
    void lock?.release().catch(() => undefined);
  };
}
