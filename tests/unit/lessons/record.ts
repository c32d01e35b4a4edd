/** What a run said, for the tests of training. */
import type { Device } from '../../../src/engine/device';
import type { RunEvent, RunSettings } from '../../../src/lessons/loop/protocol';
import { Trainer, type TrainerOptions } from '../../../src/lessons/loop/trainer';

export interface Recording {
  readonly events: readonly RunEvent[];
  /** Of all steps, from 1. */
  readonly losses: readonly number[];
  readonly accuracies: readonly number[];
  /** Trained values by name, unless the run failed. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly last: RunEvent;
}

export const TINY: RunSettings = {
  task: 'selective_copying',
  preset: 'tiny',
  seed: 1,
  dynamics: 'selective',
};

/** Runs to the end; `onEvent` may steer. */
export async function record(
  device: Device | Promise<Device> | (() => Device),
  settings: RunSettings,
  options: Pick<TrainerOptions, 'maxSteps'> = {},
  onEvent: (event: RunEvent, trainer: Trainer) => void = () => undefined,
): Promise<Recording> {
  const events: RunEvent[] = [];
  let parameters: ReadonlyMap<string, Float32Array> = new Map();
  const trainer: Trainer = new Trainer({
    ...options,
    device: async () => (typeof device === 'function' ? device() : device),
    settings,
    emit: (event) => {
      events.push(event);
      onEvent(event, trainer);
    },
    keep: async (trained) => {
      parameters = await trained.read();
    },
  });
  await trainer.run();
  const metrics = events.flatMap((event) => (event.type === 'progress' ? [event.metrics] : []));
  const last = events.at(-1);
  if (!last) throw new Error('The run said nothing.');
  return {
    events,
    losses: metrics.flatMap(({ loss }) => [...loss]),
    accuracies: metrics.flatMap(({ accuracy }) => [...accuracy]),
    parameters,
    last,
  };
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
