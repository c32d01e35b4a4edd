/** The app as this browser keeps it, to be opened without a network. A newer version waits until the person asks for it. */
import { whileNobodyComputes } from './busy';

/** Milliseconds in which a version that was asked for takes over. */
const PATIENCE = 10_000;
/** Milliseconds that the page has for itself first: keeping the app loads all of it. */
const HEAD_START = 2_000;

export class AppVersion {
  /** A newer version that is there. */
  newer = $state.raw<ServiceWorker | null>(null);
  /** It was asked for while something was computed. */
  postponed = $state(false);
  /** It was asked for, and the page was not loaded anew in time. */
  late = $state(false);
  /** Another tab has started a newer version, so that parts of this page may be gone. */
  replaced = $state(false);
  #asked = false;

  /** Looks for a newer version, and keeps this one; not while the app is developed. */
  async keep(): Promise<void> {
    if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
    await new Promise((resolve) => setTimeout(resolve, HEAD_START));
    let registration: ServiceWorkerRegistration;
    try {
      registration = await navigator.serviceWorker.register('./sw.js');
    } catch {
      // Where the browser forbids it, as some private windows do, the app is loaded from the network each time.
      return;
    }
    const found = (worker: ServiceWorker | null): void => {
      if (!worker) return;
      this.newer = worker;
      worker.addEventListener('statechange', () => {
        if (worker.state !== 'activated') return;
        if (this.#asked) location.reload();
        else {
          this.newer = null;
          this.replaced = true;
        }
      });
    };
    found(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const worker = registration.installing;
      worker?.addEventListener('statechange', () => {
        // The first version of all waits for nobody.
        if (worker.state === 'installed' && registration.active) found(worker);
      });
    });
  }

  /** Loads the page anew in the newer version, unless something is computed in any tab. */
  async use(): Promise<void> {
    const { newer } = this;
    if (!newer) return;
    this.late = false;
    this.postponed = !(await whileNobodyComputes(async () => {
      this.#asked = true;
      newer.postMessage({ type: 'SKIP_WAITING' });
      // The page is loaded anew meanwhile.
      await new Promise((resolve) => setTimeout(resolve, PATIENCE));
      this.late = true;
    }));
  }
}
