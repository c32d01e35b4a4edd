/** Allocations and frees in order, grouped by the operation during which they happen. */
import type { Size } from './tape';

/** What a piece of memory is for. */
export type Use =
  | 'parameters'
  | 'gradients'
  | 'moments'
  | 'inputs'
  | 'saved'
  | 'casts'
  | 'temporaries'
  | 'workspace';

export type Phase = 'start' | 'forward' | 'backward' | 'optimizer step';

export interface Storage {
  readonly name: string;
  readonly layer: string;
  readonly use: Use;
  readonly size: Size;
  /** Whether cuDNN decides how much it is. */
  readonly workspace?: true;
  /** The package without which it is not in memory. */
  readonly package?: 'mamba_ssm';
}

/** Storages are allocated at their own index and freed at its complement (~index). */
export interface Moment {
  readonly phase: Phase;
  readonly layer: string;
  readonly op: string;
  /** Step of the loop; 0 is before the first. */
  readonly step: number;
  readonly events: readonly number[];
}

export interface Trace {
  readonly storages: readonly Storage[];
  readonly moments: readonly Moment[];
  /** The steps after the first do the same as each other; this one is drawn. */
  readonly steady: number;
}

/** Collects events; a moment ends when the next starts. */
export class Writer {
  readonly storages: Storage[] = [];
  readonly moments: (Moment & { readonly events: number[] })[] = [];
  step = 0;

  start(phase: Phase, layer: string, op: string): void {
    this.moments.push({ phase, layer, op, step: this.step, events: [] });
  }

  allocate(storage: Storage): number {
    const index = this.storages.push(storage) - 1;
    this.#events().push(index);
    return index;
  }

  free(index: number): void {
    this.#events().push(~index);
  }

  #events(): number[] {
    const last = this.moments.at(-1);
    if (!last) throw new RangeError('no moment has started');
    return last.events;
  }
}
