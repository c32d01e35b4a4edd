import { capital, messageOf } from '../../../base/text';
import type { Failure } from '../../../run/protocol';
import { SMOKE_RUN, type EegSettings } from '../../../training/settings';
import { decodeShare, differences, encodeShare, type Difference } from '../../../training/share';

/** Settings that came with the page's address, and in what they differ from those of a first visit. */
export interface SharedSettings {
  readonly settings: EegSettings;
  readonly differences: readonly Difference[];
}

const HASH = '#/train';

/** An address that opens the page with these settings. */
export const linkTo = (settings: EegSettings): string =>
  `${location.origin}${location.pathname}${HASH}?${encodeShare(settings)}`;

/** The settings of the page's address, to be looked at before they are used. */
export class SharedByLink {
  offered = $state.raw<SharedSettings | null>(null);

  /** `failed` hears of an address that cannot be read. */
  constructor(private readonly failed: (failure: Failure) => void) {
    window.addEventListener('hashchange', () => this.#read());
    this.#read();
  }

  /** What is offered, once; null where nothing is. */
  take(): EegSettings | null {
    const { offered } = this;
    this.dismiss();
    return offered && structuredClone(offered.settings);
  }

  /** Forgets them, and takes them out of the address. */
  dismiss(): void {
    this.offered = null;
    history.replaceState(null, '', HASH);
  }

  #read(): void {
    const shared = sharedByAddress();
    if (!shared) return;
    if (!('failure' in shared)) {
      this.offered = shared;
      return;
    }
    this.dismiss();
    this.failed(shared.failure);
  }
}

/** What the page's address says; undefined where it has no settings, a failure where they cannot be read. */
function sharedByAddress(): SharedSettings | { readonly failure: Failure } | undefined {
  const query = location.hash.startsWith(`${HASH}?`) ? location.hash.slice(HASH.length + 1) : undefined;
  if (query === undefined) return undefined;
  try {
    const settings = decodeShare(query);
    return { settings, differences: differences(SMOKE_RUN, settings) };
  } catch (error) {
    const message = capital(messageOf(error));
    const advice = 'Nothing was changed. Ask for a new link, or enter the settings yourself.';
    return { failure: { kind: 'settings', message, advice } };
  }
}
