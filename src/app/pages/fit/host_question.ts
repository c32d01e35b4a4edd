/** What the simulation of the host's memory is asked for a setup. */
import {
  CORPUS_LENGTHS,
  MAIN_BYTES,
  WHOLE_HEAP_RETURNED,
  validationBytes,
} from '../../../estimate/host_facts';
import type { HostRamOptions } from '../../../estimate/host_ram';
import type { RecordingLengths } from '../../../estimate/loader_files';
import { quantity, sum, type Quantity } from '../../../estimate/quantity';
import { epochWindows, stepsPerEpoch } from '../../../estimate/time';
import { hostMachineOf, type Machine } from './machine';
import type { Setup } from './setup';

/** How the trainer holds what it reads from its cache. */
export interface Reading {
  readonly items: HostRamOptions['items'];
  /** Share of its largest batch that a worker's heap keeps, 0 to 1. */
  readonly heapKeeps: number;
  readonly recordings: RecordingLengths;
}

/** As the trainer's source of 2025-09-21 reads its cache, with glibc's defaults. */
export const AS_READ: Reading = { items: 'copies', heapKeeps: 0, recordings: CORPUS_LENGTHS };

const kept = (share: number): Quantity =>
  share === 0
    ? WHOLE_HEAP_RETURNED
    : quantity([share, share, share], 'assumed', 'share of its largest batch that a heap keeps, as chosen');

/** One epoch of training. `hours`: of an epoch. */
export function hostOptionsOf(
  setup: Setup,
  machine: Machine,
  hours: Quantity,
  { items, heapKeeps, recordings }: Reading,
): HostRamOptions {
  const batches = Math.max(1, stepsPerEpoch(epochWindows(setup).training, setup.batch));
  return {
    batch: setup.batch,
    workers: setup.workers,
    prefetchFactor: setup.prefetch,
    pinMemory: setup.pinMemory,
    persistentWorkers: setup.persistentWorkers && setup.workers > 0,
    // The trainer forces it.
    start: 'spawn',
    machine: hostMachineOf(machine),
    main: MAIN_BYTES,
    recordings,
    items,
    heapKeeps: kept(heapKeeps),
    stepSeconds: (hours.likely * 3600) / batches,
    batches,
    afterFirstEpoch: true,
  };
}

/** Windows that validation reads after each epoch. */
export const validationWindows = (setup: Setup): number => epochWindows(setup).validation;

/** What validation takes at its end: its lists, the main process, other programs. */
export function validationNeed(setup: Setup, machine: Machine): Quantity {
  return sum(
    [validationBytes(validationWindows(setup)), MAIN_BYTES, hostMachineOf(machine).other],
    'validation’s lists, the main process and other programs',
  );
}

/** What a run needs at its highest: of training as simulated and of validation, whichever is more. */
export function hostNeed(training: Quantity | undefined, validation: Quantity): Quantity {
  if (!training) return validation;
  const most = (bound: 'low' | 'likely' | 'high'): number => Math.max(training[bound], validation[bound]);
  const decided = validation.likely >= training.likely ? validation : training;
  return { ...decided, low: most('low'), likely: most('likely'), high: most('high') };
}
