/** What a smoke run shows, and what it does not. */
import { COLLAPSE } from '../../base/production';
import type { SmokeEvidence } from '../evidence';
import { tableOf } from '../markdown';

export interface SmokeVerdict {
  /** It ran, every loss was finite and the loss fell. */
  readonly sound: boolean;
  readonly text: string;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const short = (value: number): string => String(Number(value.toPrecision(3)));

/** Means of the first and the last tenth of the steps; undefined where there are none. */
function ends(losses: readonly number[]): { first: number; last: number; steps: number } | undefined {
  if (losses.length === 0) return undefined;
  const steps = Math.ceil(losses.length / 10);
  return { first: mean(losses.slice(0, steps)), last: mean(losses.slice(-steps)), steps };
}

/** What a smoke run shows, in a sentence. Sound is one of finite losses whose last tenth is below the first, in the mean. */
export function smokeVerdict(run: SmokeEvidence): SmokeVerdict {
  const { date, device, steps, secondsPerStep, losses, auroc, limits } = run;
  const bad = losses.findIndex((loss) => !Number.isFinite(loss));
  const tenths = bad < 0 ? ends(losses) : undefined;
  const loss =
    bad >= 0
      ? `the loss was not finite at step ${bad + 1}`
      : tenths === undefined
        ? 'no loss was recorded'
        : `loss ${short(tenths.first)} → ${short(tenths.last)} (means of the first and last ${tenths.steps === 1 ? 'step' : `${tenths.steps} steps`})`;
  const score =
    auroc === undefined
      ? 'nothing was validated'
      : `AUROC ${auroc.toFixed(3)}${auroc < COLLAPSE.auroc ? `, below ${COLLAPSE.auroc}, where the trainer stops a run as collapsed after its third epoch` : ''}`;
  return {
    sound: tenths !== undefined && steps > 0 && tenths.last < tenths.first,
    text: `${date}, ${device}: ${steps} steps of ${short(secondsPerStep)} s (measured), ${loss}, ${score}${limits === undefined ? '' : `; ${limits}`}.`,
  };
}

/** Smoke runs as a table in Markdown, a row for each. */
export const smokeTable = (runs: readonly SmokeEvidence[]): string =>
  tableOf(
    ['Configuration', 'Evidence', 'State'],
    runs.map((run) => {
      const { sound, text } = smokeVerdict(run);
      return [run.config, text, sound ? 'ran, and the loss fell' : 'does not show that it trains'];
    }),
  );
