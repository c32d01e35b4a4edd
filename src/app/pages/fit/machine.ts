/** The machine that a run is predicted for. */
import { GPUS, type GpuId } from '../../../config/gpus';
import { MACHINES } from '../../../config/targets';
import type { Place } from './setup';

export interface Machine {
  readonly place: Place;
  readonly gpu: GpuId;
  /** Of the system that trains: under WSL2, of WSL2. */
  readonly ramGiB: number;
  readonly cores: number;
}

export const PLACES = ['wsl2', 'local', 'modal'] as const satisfies readonly Place[];
export const PLACE_TITLES: Readonly<Record<Place, string>> = {
  wsl2: 'WSL2',
  local: 'Linux',
  modal: 'Modal',
};

export const machineOf = (place: Place): Machine => ({
  place,
  gpu: MACHINES[place].gpu.id,
  ramGiB: MACHINES[place].ramGiB,
  cores: MACHINES[place].cores,
});

export const cardBytes = ({ gpu }: Machine): number => GPUS[gpu].memoryBytes;
export const ramBytes = ({ ramGiB }: Machine): number => ramGiB * 2 ** 30;
