/** Options that say on which machine a configuration runs, and where its repository is; `validate` and `estimate` share them. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { inLine } from '../base/text';
import { GPU_IDS, GPUS, type GpuId } from '../config/gpus';
import { MACHINE_BOUNDS, targetOf, TARGETS, type Target, type TargetName } from '../config/targets';
import { ArgumentError, choice, number, text } from './command_line';

/** `targets`: those that the command knows something of. */
export const machineOptions = (targets: readonly TargetName[]) => ({
  target: choice(
    targets,
    'where it will run; left out: what the file’s path below its repository says (modal for “modal” or “a100”, wsl2 for “wsl”, else local)',
  ),
  gpu: choice(GPU_IDS, `${GPU_IDS.join(', ')}; left out: the target’s`, 'G'),
  ram: number(
    'GIB',
    'memory of the machine, under WSL2 of WSL2; left out: the target’s',
    MACHINE_BOUNDS.ramGiB,
  ),
  cores: number('N', 'cores of the machine; left out: the target’s', {
    whole: true,
    ...MACHINE_BOUNDS.cores,
  }),
  root: text(
    'DIR',
    'the repository; left out: the nearest folder above the file with “configs” or “.git” in it',
  ),
});

/** What those options say. */
export interface MachineValues {
  readonly target?: TargetName | undefined;
  readonly gpu?: GpuId | undefined;
  readonly ram?: number | undefined;
  readonly cores?: number | undefined;
}

/**
 * The path of a file below its repository, with / between folders: that is what the launcher and the rules read words in. The
 * file's name where there is no repository. Throws ArgumentError where the file is not below `root`.
 */
export function pathBelow(file: string, root?: string): string {
  const whole = resolve(file);
  const nearest = root === undefined ? repositoryOf(dirname(whole)) : resolve(root);
  if (nearest === undefined) return basename(whole);
  const path = relative(nearest, whole);
  if (path === '..' || path.startsWith(`..${sep}`))
    throw new ArgumentError(`${inLine(file)} is not below --root ${inLine(root ?? nearest)}`);
  return path.split(sep).join('/');
}

function repositoryOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'configs')) || existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** The machine of a file at `path` below its repository. */
export function targetFrom({ target, gpu, ram, cores }: MachineValues, path: string): Target {
  const usual = TARGETS[target ?? targetOf(path)];
  const numbers = { ramGiB: ram ?? usual.ramGiB, cores: cores ?? usual.cores };
  if (usual.name === 'browser') return { ...usual, ...numbers };
  return { ...usual, ...numbers, ...(gpu !== undefined && { gpu: GPUS[gpu], gpuAssumed: false }) };
}
