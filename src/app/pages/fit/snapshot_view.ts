/** What the page says of a recorded run beside the predicted one. */
import { visible } from '../../../base/text';
import type { Beside, Comparison } from '../../../estimate/snapshot/compare';
import type { Frame } from '../../../estimate/snapshot/snapshot';
import { bytes, count, percent } from '../../ui/format';
import { VRAM_ORDER, VRAM_PARTS } from './parts';

/** “+1.2 GiB”. */
export const difference = ({ predicted, measured }: Pick<Beside, 'predicted' | 'measured'>): string =>
  measured === predicted
    ? '0'
    : `${measured > predicted ? '+' : '−'}${bytes(Math.abs(measured - predicted))}`;

export const factsOf = ({ allocations, explained, peak }: Comparison) => [
  {
    name: 'Explained',
    value: percent(explained, 1),
    note: 'of the bytes at the recorded peak: predicted with the same size',
    testid: 'snapshot-explained',
  },
  {
    name: 'Allocations of a step',
    value: `${count(allocations.same)} of ${count(allocations.predicted)}`,
    note: `${count(allocations.other)} of another size, ${count(allocations.recorded)} recorded`,
  },
  {
    name: 'Peak, predicted and recorded',
    value: `${bytes(peak.predicted)} and ${bytes(peak.measured)}`,
    note: difference(peak),
  },
];

export interface UseRow extends Beside {
  readonly label: string;
  readonly fill: string;
}

/** As a person reads the picture, from above; what neither side has is left out. */
export const useRows = ({ uses }: Comparison): UseRow[] =>
  VRAM_ORDER.flatMap((name) => {
    const row = uses.find((use) => use.name === name);
    if (!row || (row.predicted === 0 && row.measured === 0)) return [];
    const { label, fill } = VRAM_PARTS[name];
    return [{ ...row, label, fill }];
  }).reverse();

/** Layers shown; the others agree better. */
const LAYERS = 12;
export const layersShown = ({ layers }: Comparison): readonly Beside[] => layers.slice(0, LAYERS);

/** Frames of a stack that are shown. */
const FRAMES = 8;

export const stackText = (frames: readonly Frame[]): string =>
  frames.length === 0
    ? 'no stack was recorded'
    : [
        ...frames
          .slice(0, FRAMES)
          .map(({ filename, line, name }) => visible(`${filename}:${line}:${name}`, 160)),
        ...(frames.length > FRAMES ? [`and ${frames.length - FRAMES} more frames`] : []),
      ].join('\n');

/** The innermost frame of the program itself: neither of PyTorch’s own nor of C++. */
export function headOf(frames: readonly Frame[]): string {
  const own = frames.find(
    ({ filename }) => filename.endsWith('.py') && !/(?:site|dist)-packages\/torch\//.test(filename),
  );
  const frame = own ?? frames[0];
  return frame
    ? visible(`${frame.filename.split('/').at(-1)}:${frame.line} ${frame.name}`, 90)
    : 'no stack was recorded';
}
