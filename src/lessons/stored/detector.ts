/**
 * A small detector that was trained beforehand on synthetic EEG; `npm run stored detector` makes it anew. It has the trainer's
 * sizes but for width and layers, so one head of 64 channels in each direction.
 */
import { fromHalf } from '../../engine/half';
import { PRODUCTION, type DetectorConfig } from '../../models/detector';
import type { Weights } from '../course/lab';

export const DETECTOR: DetectorConfig = { ...PRODUCTION, baseChannels: 4, layers: 1 };

export interface StoredDetector {
  /** Optimizer steps. */
  readonly steps: number;
  /** Over all samples of a minute around the onsets of the lessons' patients. */
  readonly auroc: number;
  /** Parameters and running statistics. */
  readonly weights: Weights;
}

export async function storedDetector(): Promise<StoredDetector> {
  const { default: file } = await import('./detector.json');
  const weights = new Map<string, Float32Array>();
  for (const [name, text] of Object.entries<string>(file.weights)) {
    const { buffer } = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    weights.set(name, fromHalf(new Uint16Array(buffer)));
  }
  return { ...file, weights };
}
