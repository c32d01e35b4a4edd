/** Recorded snapshots, made of predicted ones: no CUDA is here to record any. */
import { Random } from '../../../src/base/random';
import { snapshotOf } from '../../../src/estimate/snapshot/predicted';
import { ACTIONS, CODE, type Action, type MemorySnapshot } from '../../../src/estimate/snapshot/snapshot';
import type { Moment, Storage } from '../../../src/estimate/vram/events';
import { windowsOf, type VramRun } from '../../../src/estimate/vram/options';
import { traceOf, WORKSPACES } from '../../../src/estimate/vram/scenarios';
import { times, type Size } from '../../../src/estimate/vram/tape';

const MIB = 2 ** 20;

/** Of a few events of every kind, with and without stacks and times. */
export const SMALL_SNAPSHOT: MemorySnapshot = (() => {
  const events = ACTIONS.map((action, i): [Action, number, number] => [
    action,
    0x7f0000000000 + 512 * i,
    512 + i,
  ]);
  return {
    traces: [
      {
        action: Uint8Array.from(events, ([action]) => CODE[action]),
        address: Float64Array.from(events, ([, address]) => address),
        size: Float64Array.from(events, ([, , size]) => size),
        stack: Int32Array.from(events, (_, i) => (i % 3) - 1),
        time: Float64Array.from(events, (_, i) => (i % 2 ? NaN : 1e9 + i)),
      },
    ],
    segments: [
      {
        device: 0,
        address: 0x7f0000000000,
        size: 2 * MIB,
        small: true,
        stack: 0,
        blocks: [
          { address: 0x7f0000000000, size: 1024, requested: 700, state: 'active_allocated', stack: 1 },
          { address: 0x7f0000000400, size: 2 * MIB - 1024, requested: 0, state: 'inactive', stack: -1 },
        ],
      },
    ],
    stacks: [Int32Array.of(0, 1), Int32Array.of(1)],
    frames: [
      { filename: 'src/model.py', line: 7, name: 'forward' },
      { filename: 'src/train.py', line: 70, name: 'main' },
    ],
  };
})();

export interface Perturbed {
  /** Steps after the first. */
  readonly steps: number;
  readonly seed?: number;
  /** Shares of the allocations of a step. */
  readonly dropped?: number;
  readonly resized?: number;
  /** Bytes of allocations that nothing predicts, one in each of so many operations of a step, until its end. */
  readonly extras?: readonly Size[];
}

/** A training loop of `run` as PyTorch would have recorded it, with what a prediction may get wrong. */
export function recorded(run: VramRun, perturbed: Perturbed): MemorySnapshot {
  const trace = traceOf(run);
  const random = new Random(perturbed.seed ?? 1, 'recorded');
  const { dropped = 0, resized = 0, extras = [] } = perturbed;
  const steady = trace.moments.filter(({ step }) => step === trace.steady);
  const inSteady = new Set(steady.flatMap(({ events }) => events.filter((event) => event >= 0)));
  const fate = new Map(
    [...inSteady].map((index) => {
      const draw = random.uniform();
      return [index, draw < dropped ? 'dropped' : draw < dropped + resized ? 'resized' : 'kept'];
    }),
  );
  const storages: Storage[] = trace.storages.map((storage) => storage);
  const moments: Moment[] = trace.moments.filter(({ step }) => step < trace.steady);
  const extraAt = extras.map(() => random.integer(steady.length));
  /** Of what is freed a step later, its namesake in the steady step. */
  const namesakes = matchNames(trace.storages, [...inSteady]);
  let last = new Map<number, number>();
  for (let step = 0; step < perturbed.steps; step++) {
    const now = new Map<number, number>();
    const living: number[] = [];
    steady.forEach((moment, at) => {
      const events: number[] = [];
      extras.forEach((size, i) => {
        if (extraAt[i] !== at) return;
        const extra =
          storages.push({ name: `extra ${i}`, layer: 'elsewhere.py', use: 'temporaries', size }) - 1;
        living.push(extra);
        events.push(extra);
      });
      for (const event of moment.events) {
        const index = event < 0 ? ~event : event;
        if (event >= 0) {
          if (fate.get(index) === 'dropped') continue;
          const storage = trace.storages[index] as Storage;
          const size = fate.get(index) === 'resized' ? times(storage.size, 1.25) : storage.size;
          now.set(index, storages.push({ ...storage, size }) - 1);
          events.push(now.get(index) as number);
          continue;
        }
        const made = now.get(index) ?? (step === 0 ? index : last.get(namesakes.get(index) ?? -1));
        if (fate.get(index) !== 'dropped' && made !== undefined) events.push(~made);
      }
      if (at === steady.length - 1) events.push(...living.map((extra) => ~extra));
      moments.push({ ...moment, step: trace.steady + step, events });
    });
    last = now;
  }
  const options = { windows: windowsOf(run), workspace: WORKSPACES.likely };
  return snapshotOf({ storages, moments, steady: trace.steady }, options);
}

function matchNames(storages: readonly Storage[], steady: readonly number[]): Map<number, number> {
  const waiting = new Map<string, number[]>();
  const keyOf = ({ name, layer, use }: Storage): string => [name, layer, use].join('\n');
  for (const index of steady) {
    const key = keyOf(storages[index] as Storage);
    waiting.set(key, [...(waiting.get(key) ?? []), index]);
  }
  const own = new Set(steady);
  const matched = new Map<number, number>();
  storages.forEach((storage, index) => {
    if (own.has(index)) return;
    const namesake = waiting.get(keyOf(storage))?.shift();
    if (namesake !== undefined) matched.set(index, namesake);
  });
  return matched;
}

/** The last events alone, as a ring buffer of max_entries keeps them. */
export const lastEvents = (snapshot: MemorySnapshot, count: number): MemorySnapshot => ({
  ...snapshot,
  traces: snapshot.traces.map(({ action, address, size, stack, time }) => ({
    action: action.slice(-count),
    address: address.slice(-count),
    size: size.slice(-count),
    stack: stack.slice(-count),
    time: time.slice(-count),
  })),
});
