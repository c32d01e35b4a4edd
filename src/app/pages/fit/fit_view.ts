/** What the page says of mechanisms beside a log. */
import { NO_FIT, type MechanismFit } from '../../../estimate/mechanism_fit';
import type { HostSamples } from '../../../estimate/host_samples';
import { percent } from '../../ui/format';
import type { Fitted } from './host_logs.svelte';
import type { RamPicture } from './ram_view';

export const likelihood = ({ likelihood: value }: MechanismFit): string =>
  value === 0 ? '0' : value < NO_FIT ? `below ${NO_FIT}` : value.toFixed(3);

/** Whether no simulated run ends nearly as the recorded one: shares of nothing would say little. */
export const unexplained = ({ fits }: Fitted): boolean => fits.every(({ likelihood: of }) => of < NO_FIT);

export function fitSentence({ fits, nearest }: Fitted): string {
  if (!nearest)
    return 'None of the mechanisms kills the run: by these figures the loader alone does not fill the RAM.';
  const { title, likelihood: best, share } = nearest.fit;
  if (best < NO_FIT) return `None of the mechanisms explains how this run ended; the nearest is “${title}”.`;
  const others = fits
    .filter(({ share: of = 0, id }) => id !== nearest.fit.id && of > 0.1)
    .map(({ title: of }) => `“${of}”`);
  return `“${title}” fits best, with ${percent(share)} of the likelihood.${others.length > 0 ? ` ${others.join(' and ')} cannot be told from it by this log.` : ''}`;
}

/** Samples as a line over a picture of a simulated run: stretched to its length, above its other programs. */
export const samplesLine = ({ xs, frames, seconds }: RamPicture, samples: HostSamples): Float64Array => {
  const end = samples.seconds.at(-1) ?? 0;
  let at = 0;
  return Float64Array.from(xs, (x, i) => {
    const moment = seconds > 0 ? (x / seconds) * end : 0;
    while (at + 1 < samples.seconds.length && (samples.seconds[at + 1] as number) <= moment) at++;
    return (samples.bytes[at] ?? 0) + (frames[i]?.other ?? 0);
  });
};
