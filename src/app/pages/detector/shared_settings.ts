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

/** Takes the settings out of the page's address. */
export const clearAddress = (): void => history.replaceState(null, '', HASH);

/** What the page's address says; undefined where it has no settings, a failure where they cannot be read. */
export function sharedByAddress(): SharedSettings | { readonly failure: Failure } | undefined {
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
