import { count, duration } from '../../ui/format';
import type { Listed } from '../../../training/protocol';
import type { Detector } from './detector.svelte';

/** How far the run is: "step 24 of 96, 2:05 left"; empty where none is under way. */
export function runText({ phase, report: { plan, losses, progress } }: Detector): string {
  if (!plan || !['running', 'paused'].includes(phase)) return '';
  const step = `step ${count(losses.length)} of ${count(plan.steps)}`;
  if (phase === 'paused') return `paused at ${step}`;
  return progress ? `${step}, ${duration(progress.secondsLeft)} left` : step;
}

/** The same on a page where nobody sees which run is meant; undefined where none is under way. */
export const runTitle = (detector: Detector): string | undefined =>
  detector.training ? `Training ${runText(detector)}`.trim() : undefined;

/** Whether the browser promised to keep what it stores. */
export const storageText = (persisted: boolean): string =>
  persisted
    ? 'storage is persistent'
    : 'storage may be evicted if disk space runs low, or when a private window closes';

/** How many recordings were looked at, while files are opened. */
export const listingText = (listed: Listed | null): string =>
  listed ? `Reading recordings, ${count(listed.done)} of ${count(listed.total)}` : 'Reading recordings';
