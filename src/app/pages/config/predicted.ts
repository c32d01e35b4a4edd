/** What the estimator says of a file's memory, for the findings, the comparison and the review. In the worker: it takes a while. */
import { figuresFrom, type MemoryFigures } from '../../../estimate/figures';
import type { Compared } from '../../../handoff/matrix';
import { readConfig } from '../../../config/settings';
import type { Target } from '../../../config/targets';

interface Subject {
  readonly name: string;
  readonly target: Target;
}

/** Null where production does not take the file, and for this browser, whose plan is exact and drawn up by the run itself. */
export function figuresOf(text: string, { name, target }: Subject): MemoryFigures | null {
  if (target.name === 'browser') return null;
  const { errors, settings } = readConfig(text);
  if (errors.length > 0 || settings.rejected.length > 0) return null;
  return figuresFrom((path) => settings.value(path), name, target);
}

/** A file with its predicted memory, as the comparison and the review show it. */
export function withMemory(config: Compared): Compared {
  const figures = figuresOf(config.text, config);
  if (!figures) return config;
  const { vramGiB, hostGiB } = figures;
  return {
    ...config,
    figures,
    memory: [
      { ...vramGiB, of: 'GPU' },
      { ...hostGiB, of: 'host in training' },
    ],
  };
}
