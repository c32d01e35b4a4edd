/** A crash that a person describes, replayed with the mechanisms of an incident. */
import { several } from '../base/text';
import { applyChanges } from '../config/edit';
import type { Crash } from '../config/incidents';
import { scalarText } from '../config/scalar';
import type { Platform } from '../config/targets';

export interface OwnCrash {
  readonly place: Platform;
  readonly ramGiB: number;
  readonly batch: number;
  readonly workers: number;
  /** Batches that were done when it was killed. */
  readonly afterBatches: number;
}

const CONFIG = 'configs/own.yaml';
const INSTEAD = 'configs/own_instead.yaml';

/**
 * The crash of a run of a configuration's text, with the mechanisms of another. `hoursPerEpoch`: what the GPU takes. Beside it
 * runs the same without workers, or where there were none with half the batch. Throws EditError where the text cannot have
 * these settings.
 */
export function ownCrash(own: OwnCrash, text: string, hoursPerEpoch: number, like: Crash): Crash {
  const { place, ramGiB, batch, workers, afterBatches } = own;
  const { mechanisms, replayed } = like.replay;
  const withSettings = (settings: Readonly<Record<string, boolean | number>>): string =>
    applyChanges(
      text,
      Object.entries(settings).map(([path, value]) => ({ path, value: scalarText(value), reason: '' })),
    );
  const crashed = { 'training.batch_size': batch, 'data.num_workers': workers };
  const half = Math.max(1, Math.floor(batch / 2));
  const instead =
    workers > 0
      ? { ...crashed, 'data.num_workers': 0, 'data.persistent_workers': false }
      : { ...crashed, 'training.batch_size': half };
  const file = (name: string, settings: Readonly<Record<string, boolean | number>>) => ({
    ...({ title: name, purpose: name, description: name, target: place } as const),
    name,
    text: withSettings(settings),
  });
  return {
    id: ['own', place, ramGiB, batch, workers, afterBatches].join(' '),
    machine: { description: `${ramGiB} GiB of RAM`, place, ramGiB },
    config: CONFIG,
    killed: { process: 'the process', afterBatches },
    files: [file(CONFIG, crashed), file(INSTEAD, instead)],
    replay: {
      hoursPerEpoch,
      mechanisms,
      replayed,
      instead: {
        config: INSTEAD,
        title: workers > 0 ? 'Without workers' : 'Half the batch',
        effect:
          workers > 0
            ? `Without workers one process loads data instead of ${several(workers + 1, 'process')}.`
            : `A batch of ${half} keeps half as many recordings in memory.`,
      },
    },
  };
}
