/** Options that say on which machine a configuration runs, and where its repository is; `validate` and `estimate` share them. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { GPU_IDS, GPUS, isGpuId } from '../config/gpus';
import { isTargetName, targetOf, TARGETS, type Target, type TargetName } from '../config/targets';

export const MACHINE_OPTIONS = {
  target: { type: 'string' },
  gpu: { type: 'string' },
  ram: { type: 'string' },
  cores: { type: 'string' },
  root: { type: 'string' },
} as const;

export type MachineValues = { readonly [K in keyof typeof MACHINE_OPTIONS]?: string | undefined };

export const MACHINE_USAGE = `  --target T   where it will run; left out: what the file's path below its repository says (modal for “modal” or “a100”,
               wsl2 for “wsl”, else local)
  --gpu G      ${GPU_IDS.join(', ')}; left out: the target's
  --ram GIB    memory of the machine, under WSL2 of WSL2; left out: the target's
  --cores N    cores of the machine; left out: the target's
  --root DIR   the repository; left out: the nearest folder above the file with “configs” or “.git” in it`;

/** A number above 0 that an option gives; throws an Error with a sentence. */
export function positive(name: string, text: string | undefined, whole = false): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value > 0) || !Number.isFinite(value) || (whole && !Number.isInteger(value)))
    throw new Error(`--${name} is ${text}; it is a ${whole ? 'whole ' : ''}number above 0.`);
  return value;
}

/**
 * The path of a file below its repository, with / between folders: that is what the launcher and the rules read words in. The
 * file's name where there is no repository. Throws an Error with a sentence where the file is not below `root`.
 */
export function pathBelow(file: string, root?: string): string {
  const whole = resolve(file);
  const nearest = root === undefined ? repositoryOf(dirname(whole)) : resolve(root);
  if (nearest === undefined) return basename(whole);
  const path = relative(nearest, whole);
  if (path.startsWith('..')) throw new Error(`${file} is not below --root ${root ?? nearest}.`);
  return path.split(sep).join('/');
}

function repositoryOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'configs')) || existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** The machine of a file at `path` below its repository. Throws an Error with a sentence for a wrong option. */
export function targetFrom(values: MachineValues, path: string, allowed: readonly TargetName[]): Target {
  const name = values.target ?? targetOf(path);
  if (!isTargetName(name) || !allowed.includes(name))
    throw new Error(`--target is ${name}; it is one of ${allowed.join(', ')}.`);
  const usual = TARGETS[name];
  const { gpu } = values;
  if (gpu !== undefined && !isGpuId(gpu))
    throw new Error(`--gpu is ${gpu}; it is one of ${GPU_IDS.join(', ')}.`);
  const numbers = {
    ramGiB: positive('ram', values.ram) ?? usual.ramGiB,
    cores: positive('cores', values.cores, true) ?? usual.cores,
  };
  if (usual.name === 'browser') return { ...usual, ...numbers };
  return { ...usual, ...numbers, ...(gpu !== undefined && { gpu: GPUS[gpu], gpuAssumed: false }) };
}
