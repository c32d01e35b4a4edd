/**
 * Models of selective copying (the tiny preset, seed 2) that were trained beforehand, with a recording of their training;
 * `npm run stored` makes them anew.
 */
import type { Weights } from '../course/lab';
import type { Dynamics } from '../mamba';

/** What the model made of one held-out sequence after `step` steps. */
export interface RecordedFrame {
  readonly step: number;
  readonly predicted: readonly number[];
  /** The geometric mean over channels of Δ at each token. */
  readonly delta: readonly number[];
  /** On 16 held-out sequences. */
  readonly accuracy: number;
}

interface StoredFile {
  readonly seed: number;
  readonly steps: number;
  /** The sequence of the frames. */
  readonly tokens: readonly number[];
  readonly frames: readonly RecordedFrame[];
  /** float32, little-endian, in base64, by name. */
  readonly weights: Readonly<Record<string, string>>;
}

export interface Stored extends Omit<StoredFile, 'weights'> {
  readonly weights: Weights;
}

const FILES = {
  selective: () => import('./selective.json'),
  'delta-frozen': () => import('./delta-frozen.json'),
  'time-invariant': () => import('./time-invariant.json'),
} as const satisfies Record<Dynamics, () => Promise<{ default: StoredFile }>>;

export async function storedModel(dynamics: Dynamics): Promise<Stored> {
  const { default: file } = await FILES[dynamics]();
  const weights = new Map<string, Float32Array>();
  for (const [name, text] of Object.entries(file.weights))
    weights.set(name, new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer));
  return { ...file, weights };
}
