/** What the picture and the tables of the GPU's memory show. */
import type { Quantity } from '../../../base/quantity';
import type { VramLayer, VramPart, VramPrediction } from '../../../estimate/vram/predict';
import { VRAM_ORDER } from './parts';

export interface Segment {
  readonly part: VramPart;
  /** Percent of the bar. */
  readonly from: number;
  readonly width: number;
}

export interface Bar {
  readonly segments: readonly Segment[];
  /** Percent at which the card ends, and the range of the whole. */
  readonly capacity: number;
  readonly low: number;
  readonly high: number;
}

/** Parts side by side in the order of the pictures; the bar is as long as the card, or as the highest prediction. */
export function barOf({ parts, total }: VramPrediction, cardBytes: number): Bar {
  const whole = Math.max(cardBytes, total.high) * 1.02;
  const percent = (bytes: number): number => (100 * bytes) / whole;
  let from = 0;
  const segments = VRAM_ORDER.flatMap((name) => {
    const part = parts.find((one) => one.name === name);
    if (!part) return [];
    const segment = { part, from, width: percent(part.bytes.likely) };
    from += segment.width;
    return [segment];
  });
  return { segments, capacity: percent(cardBytes), low: percent(total.low), high: percent(total.high) };
}

export interface LayerRow extends VramLayer {
  readonly total: number;
  /** Percent of the row that takes most. */
  readonly share: number;
}

export function layerRows(layers: readonly VramLayer[]): LayerRow[] {
  const rows = layers.map((layer) => ({ ...layer, total: layer.parameters + layer.saved + layer.casts }));
  const most = Math.max(1, ...rows.map(({ total }) => total));
  return rows.map((row) => ({ ...row, share: (100 * row.total) / most }));
}

/** Likely bytes as a share of the card. */
export const shareOf = ({ likely }: Pick<Quantity, 'likely'>, cardBytes: number): number =>
  likely / cardBytes;
