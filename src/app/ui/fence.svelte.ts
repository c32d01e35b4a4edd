/** Whether files are safe on this page: that nothing it loads could send them elsewhere, and that no other page is around it. */

const NOBODY = 'smokescan.invalid';
/** Milliseconds in which a refusal is heard of. */
const PATIENCE = 2000;

/** Why no file is opened here: a sentence; null where files are safe. */
export const fence = $state<{ problem: string | null }>({ problem: null });

/** Looks once, when the page is loaded. */
export async function checkFence(): Promise<void> {
  if (window.top !== window)
    fence.problem =
      'This page is shown inside another page, which could mislead you, so no files are opened here. Open it in a tab of its own.';
  else if (!(await workerRefuses()))
    fence.problem =
      'This host does not send the security policy with every file, so nothing would keep a worker from sending your files elsewhere, and none are opened here. Whoever runs it: use the header file for your host that is beside index.html.';
}

async function workerRefuses(): Promise<boolean> {
  const worker = new Worker(new URL('./fence_worker.ts', import.meta.url), { type: 'module', name: 'fence' });
  try {
    return await new Promise((resolve) => {
      worker.addEventListener('message', ({ data }: MessageEvent<boolean>) => resolve(data));
      // A worker that does not load sends nothing.
      worker.addEventListener('error', () => resolve(true));
      worker.postMessage(null);
    });
  } finally {
    worker.terminate();
  }
}

export interface Attempt {
  readonly way: string;
  readonly blocked: boolean;
}

/** Tries to send something to another origin, by each way that a page has. The origin belongs to nobody. */
export async function attempts(): Promise<readonly Attempt[]> {
  const refused = (act: () => unknown): Promise<boolean> =>
    new Promise((resolve) => {
      const heard = (): void => resolve(true);
      document.addEventListener('securitypolicyviolation', heard, { once: true });
      setTimeout(() => {
        document.removeEventListener('securitypolicyviolation', heard);
        resolve(false);
      }, PATIENCE);
      try {
        act();
      } catch {
        // Some ways are refused by an exception, which a violation goes with.
      }
    });
  const ways: readonly (readonly [string, () => Promise<boolean>])[] = [
    ['fetch', () => refused(() => void fetch(`https://${NOBODY}/`).catch(() => undefined))],
    ['image', () => refused(() => (new Image().src = `https://${NOBODY}/`))],
    ['beacon', () => refused(() => navigator.sendBeacon(`https://${NOBODY}/`, 'x'))],
    ['WebSocket', () => refused(() => new WebSocket(`wss://${NOBODY}/`))],
    ['worker', workerRefuses],
    ['WebRTC', rtcRefused],
  ];
  const tried: Attempt[] = [];
  // One after the other: a violation does not say who caused it.
  for (const [way, act] of ways) tried.push({ way, blocked: await act() });
  return tried;
}

/** Whether two ends within this page cannot be connected, which needs nobody else. */
async function rtcRefused(): Promise<boolean> {
  const ends: RTCPeerConnection[] = [];
  try {
    const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()];
    ends.push(here, there);
    here.addEventListener(
      'icecandidate',
      ({ candidate }) => candidate && void there.addIceCandidate(candidate),
    );
    there.addEventListener(
      'icecandidate',
      ({ candidate }) => candidate && void here.addIceCandidate(candidate),
    );
    const channel = here.createDataChannel('proof');
    const refused = new Promise<boolean>((resolve) => {
      channel.addEventListener('open', () => resolve(false));
      setTimeout(() => resolve(true), PATIENCE);
    });
    await here.setLocalDescription(await here.createOffer());
    await there.setRemoteDescription(here.localDescription ?? { type: 'offer' });
    await there.setLocalDescription(await there.createAnswer());
    await here.setRemoteDescription(there.localDescription ?? { type: 'answer' });
    return await refused;
  } catch {
    return true;
  } finally {
    for (const end of ends) end.close();
  }
}
