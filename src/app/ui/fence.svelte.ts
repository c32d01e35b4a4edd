/** Whether files are safe on this page: that nothing it loads could send them elsewhere, and that no other page is around it. */

const NOBODY = 'smokescan.invalid';
/** Milliseconds in which a block is reported. */
const PATIENCE = 4000;
/** Milliseconds after which a worker is not waited for: a busy machine starts one within seconds. */
const DEADLINE = 60_000;

/** Why no file is opened here: a sentence; null where files are safe. */
export const fence = $state<{ problem: string | null }>({ problem: null });

/** Looks once, when the page is loaded; files are opened until it has an answer. */
export async function checkFence(): Promise<void> {
  if (window.top !== window)
    fence.problem =
      'This page is shown inside another page, which could mislead you, so no files are opened here. Open it in a tab of its own.';
  else fence.problem = PROBLEMS[await tryWorker()];
}

const PROBLEMS: Readonly<Record<Outcome, string | null>> = {
  blocked: null,
  'not blocked':
    'This host does not send the security policy with every file, so nothing would keep a worker from sending your files elsewhere, and none are opened here. Whoever runs it: use the header file for your host that is beside index.html.',
  'not tried':
    'The worker that checks whether the security policy holds did not start or gave no answer, so no files are opened here. Reload the page to check again.',
};

/** Whether a way out of the page was blocked; `not tried` where this browser, or a fault, did not let it come to that. */
export type Outcome = 'blocked' | 'not blocked' | 'not tried';

async function tryWorker(): Promise<Outcome> {
  const worker = new Worker(new URL('./fence_worker.ts', import.meta.url), { type: 'module', name: 'fence' });
  try {
    return await new Promise((resolve) => {
      worker.addEventListener('message', ({ data }: MessageEvent<boolean>) =>
        resolve(data ? 'blocked' : 'not blocked'),
      );
      // A worker that does not load sends nothing.
      worker.addEventListener('error', () => resolve('not tried'));
      setTimeout(() => resolve('not tried'), DEADLINE);
      worker.postMessage(null);
    });
  } finally {
    worker.terminate();
  }
}

export interface Attempt {
  readonly way: string;
  readonly outcome: Outcome;
}

/** Tries to send something to another origin, by each way that a page has. The origin belongs to nobody. */
export async function attempts(): Promise<readonly Attempt[]> {
  /** The policy reports what it blocks. */
  const reported = (act: () => unknown): Promise<Outcome> =>
    new Promise((resolve) => {
      const heard = (): void => resolve('blocked');
      document.addEventListener('securitypolicyviolation', heard, { once: true });
      setTimeout(() => {
        document.removeEventListener('securitypolicyviolation', heard);
        resolve('not blocked');
      }, PATIENCE);
      try {
        act();
      } catch {
        // Some ways are blocked by an exception, which a report goes with.
      }
    });
  const ways: readonly (readonly [string, () => Promise<Outcome>])[] = [
    ['fetch', () => reported(() => void fetch(`https://${NOBODY}/`).catch(() => undefined))],
    ['image', () => reported(() => (new Image().src = `https://${NOBODY}/`))],
    ['beacon', () => reported(() => navigator.sendBeacon(`https://${NOBODY}/`, 'x'))],
    ['WebSocket', () => reported(() => new WebSocket(`wss://${NOBODY}/`))],
    ['worker', tryWorker],
    ['WebRTC', tryWebRtc],
  ];
  const tried: Attempt[] = [];
  // One after the other: a report does not say who caused it.
  for (const [way, act] of ways) tried.push({ way, outcome: await act() });
  return tried;
}

/**
 * Whether two ends within this page can be connected, which needs nobody else. Nothing is reported of it: where Connection-Allowlist
 * blocks it, an end fails before it has looked for the other.
 */
async function tryWebRtc(): Promise<Outcome> {
  const ends: RTCPeerConnection[] = [];
  try {
    const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()];
    ends.push(here, there);
    const outcome = new Promise<Outcome>((resolve) => {
      for (const [end, other] of [
        [here, there],
        [there, here],
      ] as const) {
        end.addEventListener('icecandidate', ({ candidate }) => {
          // An end that is closed already takes none, in some browsers without a promise.
          if (candidate) void (async () => other.addIceCandidate(candidate))().catch(() => undefined);
        });
        end.addEventListener('iceconnectionstatechange', () =>
          resolve(end.iceConnectionState === 'failed' ? 'blocked' : 'not blocked'),
        );
      }
      setTimeout(() => resolve('not blocked'), PATIENCE);
    });
    here.createDataChannel('proof');
    await here.setLocalDescription(await here.createOffer());
    await there.setRemoteDescription(here.localDescription ?? { type: 'offer' });
    await there.setLocalDescription(await there.createAnswer());
    await here.setRemoteDescription(there.localDescription ?? { type: 'answer' });
    return await outcome;
  } catch {
    // Whatever failed here is no policy's doing.
    return 'not tried';
  } finally {
    for (const end of ends) end.close();
  }
}
