import { TARGETS, type Target, type TargetName } from '../../../config/targets';
import { recall, remember } from '../../ui/stored';

export const TARGET_NAMES = Object.keys(TARGETS) as TargetName[];

/** Figures that a person may change, with their units. */
export const FIGURES = [
  { name: 'ramGiB', label: 'RAM', unit: 'GiB' },
  { name: 'vramGiB', label: 'VRAM', unit: 'GiB' },
  { name: 'cores', label: 'Cores', unit: '' },
  { name: 'hoursPerEpoch', label: 'An epoch takes', unit: 'h' },
] as const satisfies readonly { name: keyof Target; label: string; unit: string }[];

type Changed = Partial<Record<(typeof FIGURES)[number]['name'], number>> & { gpu?: string };
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
    const known = TARGETS[name];
    const changed = this.#all[name] ?? {};
    const numbers = FIGURES.map((figure) => {
      const value: unknown = changed[figure.name];
      return [figure.name, isFigure(value) ? value : known[figure.name]];
    });
    const gpu = typeof changed.gpu === 'string' ? changed.gpu : known.gpu;
    return {
      ...known,
      ...(Object.fromEntries(numbers) as Pick<Target, (typeof FIGURES)[number]['name']>),
      gpu,
    };
  }

  isChanged(name: TargetName): boolean {
    return Object.keys(this.#all[name] ?? {}).length > 0;
  }

  /** Takes a number above 0; anything else leaves the figure as it is. */
  set(name: TargetName, figure: (typeof FIGURES)[number]['name'], value: number): void {
    if (isFigure(value)) this.#put({ ...this.#all, [name]: { ...this.#all[name], [figure]: value } });
  }

  setGpu(name: TargetName, gpu: string): void {
    this.#put({ ...this.#all, [name]: { ...this.#all[name], gpu } });
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

const isFigure = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;
