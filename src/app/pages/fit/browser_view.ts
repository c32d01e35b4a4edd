/** Seconds of an update as people compare them. */
import { CORPUS } from '../../../config/facts';
import type { BrowserRow } from './browser_worker';

export interface BrowserView extends BrowserRow {
  /** Whether the settings ask for this width. */
  readonly chosen: boolean;
  /** Windows a second. */
  readonly windows: number;
  /** Hours of production's epoch. */
  readonly epochHours: number;
}

export const browserView = (
  rows: readonly BrowserRow[],
  { batch, model }: { readonly batch: number; readonly model: { readonly baseChannels: number | 'auto' } },
): BrowserView[] =>
  rows.map((row) => ({
    ...row,
    chosen: row.width === model.baseChannels,
    windows: batch / row.time.likely,
    epochHours: ((CORPUS.balancedWindows / batch) * row.time.likely) / 3600,
  }));
