/** How many launches a run takes where each ends after a day. */

/** Modal ends a launch after so many hours; more cannot be asked for. */
export const MODAL_HOURS = 24;

export interface Launch {
  /** Counted from 1; after the first launch the first epoch is the saved one again. */
  readonly first: number;
  readonly last: number;
}

export interface LaunchPlan {
  /** Of training alone, with the epochs that are repeated. */
  readonly hours: number;
  /** Empty where no number of launches comes to the end. */
  readonly launches: readonly Launch[];
}

/**
 * Launches of at most `limit` hours for so many epochs: an epoch that is interrupted is lost, and a resumed run repeats the
 * epoch that was saved (read in the trainer's source at 2025-09-21). Starting up is not counted. No plan comes to the end
 * where fewer than two epochs fit a launch and one launch is not enough.
 */
export function planLaunches(epochs: number, hoursPerEpoch: number, limit = MODAL_HOURS): LaunchPlan {
  const fit = Math.floor(limit / hoursPerEpoch + 1e-9);
  if (!(epochs >= 1) || !(hoursPerEpoch > 0)) return { hours: 0, launches: [] };
  if (epochs > fit && fit < 2) return { hours: Infinity, launches: [] };
  const launches: Launch[] = [];
  for (let first = 1; ;) {
    const last = Math.min(epochs, first + fit - 1);
    launches.push({ first, last });
    if (last === epochs) break;
    first = last;
  }
  return { hours: (epochs + launches.length - 1) * hoursPerEpoch, launches };
}
