import type { Detector } from '../detector/detector.svelte';

/** Trains the recorded run's seed and settings on this GPU, and films the same part of the same recording. */
export async function trainLive(detector: Detector): Promise<void> {
  const { DEMO } = await import('../../../training/demo');
  if (detector.active || !(await detector.synthesize(DEMO.seed))) return;
  detector.settings = structuredClone(DEMO.settings);
  detector.film.next = DEMO.watched;
  await detector.primary();
}
