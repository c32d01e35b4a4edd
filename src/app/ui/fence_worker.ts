/** Whether the policy of this worker's own file blocks another origin: answers true or false to any message. */

/** A name that belongs to nobody, for good (RFC 2606): where nothing blocks it, nobody is reached. */
const NOBODY = 'https://smokescan.invalid/';
/** Milliseconds in which a block is reported. */
const PATIENCE = 2000;

globalThis.addEventListener('message', () => {
  const blocked = new Promise<boolean>((resolve) => {
    globalThis.addEventListener('securitypolicyviolation', () => resolve(true));
    setTimeout(() => resolve(false), PATIENCE);
  });
  fetch(NOBODY).catch(() => undefined);
  void blocked.then((answer) => postMessage(answer));
});
