/** The machine that a run is predicted for. */
import { GPUS, type GpuId } from '../../../estimate/hardware';
import { OTHER_BYTES, wsl2Share } from '../../../estimate/host_facts';
import type { HostMachine } from '../../../estimate/host_ram';
import { exactly, quantity, type Quantity } from '../../../estimate/quantity';
import { TARGETS } from '../../../production/targets';
import type { Place } from './setup';

export interface Machine {
  readonly place: Place;
  readonly gpu: GpuId;
  /** Of the system that trains: under WSL2, of WSL2. */
  readonly ramGiB: number;
  readonly cores: number;
}

export const PLACES = ['wsl2', 'local', 'modal'] as const satisfies readonly Place[];

const GPU_OF: Readonly<Record<Place, GpuId>> = { wsl2: 'rtx4090', local: 'rtx4090', modal: 'a100-80' };

export const machineOf = (place: Place): Machine => ({
  place,
  gpu: GPU_OF[place],
  ramGiB: TARGETS[place].ramGiB,
  cores: TARGETS[place].cores,
});

export const cardBytes = ({ gpu }: Machine): number => GPUS[gpu].memoryBytes;

const GIB = 2 ** 30;
export const ramBytes = ({ ramGiB }: Machine): number => ramGiB * GIB;

const SWAP: Readonly<Record<Place, (ram: number) => Quantity>> = {
  // WSL2's share of the host's memory is twice as much as what it gives itself as swap.
  wsl2: (ram) => {
    const { swapBytes } = wsl2Share(2 * ram);
    return quantity(
      [0, swapBytes, swapBytes],
      'derived',
      'WSL2 makes a swap of a quarter of its memory, unless told not to',
    );
  },
  local: (ram) => quantity([0, Math.min(2 * GIB, ram), 8 * GIB], 'assumed', 'installers make 0 to 8 GiB'),
  modal: () => exactly(0, 'derived', 'a container has none'),
};

export const hostMachineOf = (machine: Machine): HostMachine => {
  const ram = ramBytes(machine);
  return {
    ramBytes: ram,
    swap: SWAP[machine.place](ram),
    shmBytes: ram / 2,
    other: OTHER_BYTES[machine.place],
  };
};
