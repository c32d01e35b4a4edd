import { GIB } from '../../../base/units';
import { exactly } from '../../../base/quantity';
import { GPUS, isGpuId } from '../../../config/gpus';
import { MACHINE_BOUNDS, TARGETS, vramGiB, type Target, type TargetName } from '../../../config/targets';
import { recall, remember } from '../../ui/stored';

/** Numbers that a person may change, with their units. */
export const FIGURES = [
  { name: 'ramGiB', label: 'RAM', unit: 'GiB' },
  { name: 'vramGiB', label: 'VRAM', unit: 'GiB' },
  { name: 'cores', label: 'Cores', unit: '' },
  { name: 'hoursPerEpoch', label: 'Time per epoch', unit: 'h' },
] as const;
type FigureName = (typeof FIGURES)[number]['name'];

type Changed = Partial<Record<FigureName, number>> & { gpu?: string };
type All = Partial<Record<TargetName, Changed>>;

const STORED = 'config.figures';

function stored(): All {
  try {
    const all = JSON.parse(recall(STORED) ?? '{}') as unknown;
    return typeof all === 'object' && all !== null ? all : {};
  } catch {
    return {};
  }
}

/** The machines that files are checked for, as the person knows them. */
export class Figures {
  #all = $state.raw<All>(stored());

  constructor(private readonly changed: () => void) {}

  of(name: TargetName): Target {
    const { gpu: id = '', ...numbers } = this.#all[name] ?? {};
    const known = TARGETS[name];
    if (!this.isChanged(name)) return known;
    const typed = (figure: FigureName): number | undefined =>
      isFigure(figure, numbers[figure]) ? numbers[figure] : undefined;
    const ramGiB = typed('ramGiB') ?? known.ramGiB;
    const cores = typed('cores') ?? known.cores;
    const memory = typed('vramGiB');
    const memoryBytes = memory === undefined ? {} : { memoryBytes: memory * GIB };
    if (known.name === 'browser') return { ...known, ramGiB, cores, gpu: { ...known.gpu, ...memoryBytes } };
    const hours = typed('hoursPerEpoch');
    return {
      ...known,
      ramGiB,
      cores,
      gpu: { ...(isGpuId(id) ? GPUS[id] : known.gpu), ...memoryBytes },
      gpuAssumed: known.gpuAssumed === true && !isGpuId(id),
      hoursPerEpoch:
        hours === undefined
          ? undefined
          : exactly(hours, 'assumed', 'hours of an epoch as set for the target'),
    };
  }

  /** What to show in a field; undefined where nothing is typed and the hours are estimated. */
  shown(name: TargetName, figure: FigureName): number | undefined {
    const target = this.of(name);
    if (figure === 'vramGiB') return vramGiB(target);
    if (figure !== 'hoursPerEpoch') return target[figure];
    return target.name === 'browser' ? undefined : target.hoursPerEpoch?.likely;
  }

  isChanged(name: TargetName): boolean {
    return Object.keys(this.#all[name] ?? {}).length > 0;
  }

  /** Takes a number within its bounds; anything else leaves the figure as it is. */
  set(name: TargetName, figure: FigureName, value: number): void {
    if (isFigure(figure, value)) this.#put({ ...this.#all, [name]: { ...this.#all[name], [figure]: value } });
  }

  /** Takes the id of a GPU, with its memory. */
  setGpu(name: TargetName, gpu: string): void {
    const { vramGiB: _, ...others } = this.#all[name] ?? {};
    this.#put({ ...this.#all, [name]: { ...others, gpu } });
  }

  reset(name: TargetName): void {
    const { [name]: _, ...others } = this.#all;
    this.#put(others);
  }

  #put(all: All): void {
    this.#all = all;
    remember(STORED, JSON.stringify(all));
    this.changed();
  }
}

function isFigure(figure: FigureName, value: unknown): value is number {
  const { min = Number.MIN_VALUE, max }: { min?: number; max: number } = MACHINE_BOUNDS[figure];
  return typeof value === 'number' && value >= min && value <= max;
}
