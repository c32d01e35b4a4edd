/** Whether the policy of this worker's own file refuses another origin: answers true or false to any message. */

/** A name that belongs to nobody, for good (RFC 2606): where nothing refuses it, nobody is reached. */
const NOBODY = 'https://smokescan.invalid/';
/** Milliseconds in which a refusal is heard of. */
const PATIENCE = 2000;

globalThis.addEventListener('message', () => {
  const refused = new Promise<boolean>((resolve) => {
    globalThis.addEventListener('securitypolicyviolation', () => resolve(true));
    setTimeout(() => resolve(false), PATIENCE);
  });
  fetch(NOBODY).catch(() => undefined);
  void refused.then((answer) => postMessage(answer));
});
