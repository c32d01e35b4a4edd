/** Where a configuration is going to run, with the figures that the rules compare it against; people may change them. */

export type TargetName = 'local' | 'wsl2' | 'modal' | 'browser';

export interface Target {
  readonly name: TargetName;
  /** As on a button. */
  readonly title: string;
  /** What kind of machine it is and what that means for a run; a sentence. */
  readonly environment: string;
  readonly gpu: string;
  /** Memory of the machine that trains; on Modal what the app asks for. */
  readonly ramGiB: number;
  /** Memory of its GPU. */
  readonly vramGiB: number;
  readonly cores: number;
  /** Of the whole corpus. */
  readonly hoursPerEpoch: number;
}

export const TARGETS: Readonly<Record<TargetName, Target>> = {
  local: {
    name: 'local',
    title: 'Linux',
    environment:
      'A Linux machine of one’s own: all of its memory, workers that fork or spawn freely, no limit of time.',
    gpu: 'RTX 4090',
    ramGiB: 64,
    vramGiB: 24,
    cores: 16,
    hoursPerEpoch: 2.5,
  },
  wsl2: {
    name: 'wsl2',
    title: 'WSL2',
    environment:
      'Linux inside Windows: half of the host’s memory unless .wslconfig says otherwise, and little of it can be pinned.',
    gpu: 'RTX 4090',
    // What the run that was killed had.
    ramGiB: 31,
    vramGiB: 24,
    cores: 16,
    hoursPerEpoch: 2.5,
  },
  modal: {
    name: 'modal',
    title: 'Modal A100',
    environment:
      'A container on Modal with an A100 of 80 GB; the app asks for 8 cores and 32 GiB, and a launch ends after 24 hours.',
    gpu: 'A100-80GB',
    ramGiB: 32,
    vramGiB: 80,
    cores: 8,
    hoursPerEpoch: 1,
  },
  browser: {
    name: 'browser',
    title: 'This browser',
    environment:
      'This tab, with WebGPU: the detector is trained here, in float32, and neither the trainer nor its launcher takes part.',
    gpu: 'WebGPU',
    ramGiB: 8,
    vramGiB: 4,
    cores: 8,
    hoursPerEpoch: 12,
  },
};

export const isTargetName = (name: string): name is TargetName => Object.hasOwn(TARGETS, name);

/** What the path of a file says about where it runs: `configs/modal/train_a100.yaml` on Modal. */
export function targetOf(name: string): TargetName {
  if (/modal|a100/i.test(name)) return 'modal';
  return /wsl/i.test(name) ? 'wsl2' : 'local';
}

/** A predicted number, in GiB. */
export interface Predicted {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
}

/** What a run is predicted to take; who asks for the findings brings it along. */
export interface Figures {
  readonly vramGiB?: Predicted;
  readonly hostGiB?: Predicted;
}
