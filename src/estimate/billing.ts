/** What Modal bills of a run: of cores and of memory what is asked for, or what is used where that is more (Modal's documentation). */
import { GIB } from '../base/units';
import { quantity, scaled, sum, type Quantity } from '../base/quantity';
import { scoringSeconds, WINDOW_BYTES } from '../config/facts';
import type { Machine } from '../config/targets';
import type { RunSettings } from './from_config';
import { MAIN_BYTES, OTHER_BYTES, validationBytes, WORKER_BYTES } from './ram_facts';

/** In the mean over an epoch. */
export interface Billed {
  readonly cores: Quantity;
  readonly ramGiB: Quantity;
}

const BOUNDS = ['low', 'likely', 'high'] as const;

/** Bytes of the processes in training: themselves, a recording in each worker, and the batches that wait. */
function trainingBytes({ loader }: RunSettings, recordingBytes: number): Quantity {
  const { workers, start, prefetchFactor, batch } = loader;
  const waiting = Math.max(1, workers * prefetchFactor) * batch * WINDOW_BYTES;
  const recordings = Math.max(1, workers) * recordingBytes;
  return sum(
    [
      MAIN_BYTES,
      OTHER_BYTES.modal,
      ...(workers > 0 ? [scaled(WORKER_BYTES[start], workers)] : []),
      quantity(
        [recordings, recordings + waiting, 2 * (recordings + waiting)],
        'assumed',
        'what loaders hold',
      ),
    ],
    'processes, recordings and batches',
  );
}

/**
 * Of a run on a container that asks for the machine's cores and memory. `epoch`: its hours; `recordingBytes`: of a random
 * window's recording. Workers that decompress fill a core each, the main process another. Validation's lists are there while
 * it scores; at most they are taken to be there in all of validation, whose hours are `validation`.
 */
export function billedOf(
  settings: RunSettings,
  { cores, ramGiB }: Pick<Machine, 'cores' | 'ramGiB'>,
  epoch: Quantity,
  validation: Quantity,
  recordingBytes: number,
): Billed {
  const { workers } = settings.loader;
  // As many as are waited for: with cores that the machine has besides, a run ends sooner.
  const busy = Math.max(cores, Math.min(workers, cores) + 1);
  const training = trainingBytes(settings, recordingBytes);
  const lists = validationBytes(settings.windows.validation);
  const scoring = (settings.windows.validation * scoringSeconds(settings.rates)) / 3600;
  const share = {
    low: 0,
    likely: Math.min(1, scoring / epoch.likely),
    high: Math.min(1, Math.max(scoring, validation.likely) / epoch.likely),
  };
  const [, likely, high] = BOUNDS.map((bound) => {
    const over = (bytes: number): number => Math.max(0, bytes / GIB - ramGiB);
    return (
      ramGiB +
      share[bound] * over(training[bound] + lists[bound]) +
      (1 - share[bound]) * over(training[bound])
    );
  }) as [number, number, number];
  return {
    cores: quantity([cores, busy, busy], 'derived', 'a core for each busy process'),
    ramGiB: quantity([ramGiB, likely, high], 'assumed', 'what is asked for, or used above it'),
  };
}
