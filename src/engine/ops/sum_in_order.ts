/** How kernels that end in long sums divide them: among threads, or teams of them; shaders/sum_in_order.wgsl. */
import source from '../../../shaders/sum_in_order.wgsl?raw';

/** On a GPU the threads of a team that shares a sum of more values than `above`, the first that fits. */
const TEAMS = [
  { above: 1024, lanes: 64 },
  { above: 32, lanes: 32 },
] as const;

export { source as sumInOrder };

/** The defines of sum_in_order.wgsl: the function whose values are added, and the threads that share a sum. */
export const sumDefines = (TERM: string, software: boolean, LANES = 1) => ({ TERM, LANES, SERIAL: software });

/** The work of a kernel of `sums` sums of `count` values each, for `#main workgroup`. CPU-backed adapters have no teams: barriers are dear. */
export function dividedSums(sums: number, count: number, software: boolean) {
  const LANES = (!software && TEAMS.find(({ above }) => count > above)?.lanes) || 1;
  const workgroup = LANES > 1 ? 256 : 64;
  return {
    defines: sumDefines('read_partial', software, LANES),
    sizes: { SUMS: sums, SPLIT: count },
    workgroup,
    workgroups: Math.ceil((sums * LANES) / workgroup),
  };
}
