/** Predictions beside what was measured: measured/*.json, a file for each real run, whose form measured/README.md has. */
import * as z from 'zod';
import { exactly, quantity, type Quantity } from '../base/quantity';
import { MIB } from '../base/units';
import { INCIDENTS } from '../config/incidents';
import { killedWorker } from '../config/kills';
import { MIXERS } from '../models/bimamba';
import { PRODUCTION } from '../models/detector';
import { replayedRun } from './incident';
import { RamSimulator } from './ram_simulator';
import { detectorTape } from './vram/lower';
import { predictVram } from './vram/predict';
import { savedSizes } from './vram/tape';

// The page's policy forbids code made of texts.
z.config({ jitless: true });

const text = z.string().min(1);
const precision = z.enum(['fp32', 'fp16', 'bf16']);
const bytes = z.int().positive();

const file = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('oom-kill'), title: text, incident: text }),
  z.strictObject({
    kind: z.literal('saved-tensors'),
    title: text,
    source: text,
    precision,
    mebibytesPerWindow: z.number().positive(),
  }),
  z.strictObject({
    kind: z.literal('gpu-memory'),
    title: text,
    source: text,
    run: z.strictObject({
      batch: z.int().positive(),
      microBatches: z.int().positive(),
      checkpointing: z.boolean(),
      layers: z.int().positive(),
      mixer: z.enum(MIXERS),
      precision,
      kernelSizes: z.array(z.int().positive()),
      convKernel: z.int().positive(),
      loss: z.enum(['bce', 'focal']),
    }),
    allocated: bytes,
    reserved: bytes,
  }),
]);

export type MeasuredFile = z.infer<typeof file>;

export interface MeasuredRow {
  readonly title: string;
  readonly figure: string;
  readonly unit: 'batches' | 'bytes' | 'share';
  readonly measured: number;
  readonly predicted: Quantity;
}

/** Throws RangeError with a sentence that names the place where something is missing or unknown. Exported for its tests. */
export function readMeasured(data: unknown): MeasuredFile {
  const read = file.safeParse(data);
  if (!read.success) throw new RangeError(`The measured run cannot be read: ${z.prettifyError(read.error)}`);
  return read.data;
}

/** Of measured/, by their names. */
export const MEASURED: readonly MeasuredFile[] = Object.entries(
  import.meta.glob('../../measured/*.json', { import: 'default', eager: true }),
)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([, data]) => readMeasured(data));

/** Simulated runs of a kill; each takes a fraction of a second. */
const RUNS = 20;

/** What is predicted of a run now, beside what was measured. Throws RangeError where the run cannot be. */
export function rowsOf(of: MeasuredFile): MeasuredRow[] {
  const { title } = of;
  switch (of.kind) {
    case 'oom-kill':
      return killRows(title, of.incident);
    case 'saved-tensors': {
      const model = { ...PRODUCTION, mixer: 'conv' } as const;
      const tape = detectorTape({
        backend: 'cpu',
        precision: of.precision,
        model,
        loss: 'focal',
        bothMixers: false,
      });
      // In fp32 the first convolution keeps the window itself; under autocast its cast.
      const window =
        of.precision === 'fp32' ? (tape.inputs.find(({ name }) => name === 'EEG')?.size.perWindow ?? 0) : 0;
      const saved = savedSizes(tape).activations.perWindow + window;
      return [
        {
          title,
          figure: 'saved for the backward pass, per window',
          unit: 'bytes',
          measured: of.mebibytesPerWindow * MIB,
          predicted: exactly(saved, 'derived', 'PyTorch’s rules on the model’s graph'),
        },
      ];
    }
    case 'gpu-memory': {
      const { allocated, reserved } = predictVram(of.run);
      return [
        {
          title,
          figure: 'max_memory_allocated',
          unit: 'bytes',
          measured: of.allocated,
          predicted: allocated,
        },
        { title, figure: 'max_memory_reserved', unit: 'bytes', measured: of.reserved, predicted: reserved },
      ];
    }
  }
}

function killRows(title: string, id: string): MeasuredRow[] {
  const incident = INCIDENTS.find((one) => one.id === id);
  if (!incident) throw new RangeError(`There is no incident ${id} in configs/incidents.`);
  const simulator = new RamSimulator(replayedRun(incident));
  const kills = Array.from({ length: RUNS }, (_, i) => simulator.train(i + 1, 1).kill).filter(
    (kill) => kill?.cause === 'oom',
  );
  const batches = kills.map((kill) => kill?.batch ?? 0).sort((a, b) => a - b);
  const at = (share: number): number => batches[Math.round(share * (batches.length - 1))] ?? 0;
  const workers = kills.filter((kill) => kill?.victim.process === 'worker').length;
  const killed = `${kills.length} of ${RUNS} simulated runs with the mechanism that explains it best`;
  return [
    {
      title,
      figure: 'batches until the kill, by the mechanism that was chosen for it',
      unit: 'batches',
      measured: incident.killed.afterBatches,
      predicted: quantity([at(0.05), at(0.5), at(0.95)], 'assumed', killed),
    },
    {
      title,
      figure: 'a worker is killed, by the same',
      unit: 'share',
      measured: killedWorker(incident) ? 1 : 0,
      predicted: exactly(kills.length === 0 ? 0 : workers / kills.length, 'assumed', killed),
    },
  ];
}

const SAY: Readonly<Record<MeasuredRow['unit'], (value: number) => string>> = {
  batches: (value) => Math.round(value).toLocaleString('en'),
  bytes: (value) => `${(value / MIB).toFixed(1)} MiB`,
  share: (value) => (value === 1 ? 'yes' : value === 0 ? 'no' : `in ${Math.round(100 * value)} % of them`),
};

/** The row’s texts: what, measured, predicted with its range, and whether the one lies in the other. */
export function cellsOf({ title, figure, unit, measured, predicted }: MeasuredRow): readonly string[] {
  const say = SAY[unit];
  const { low, likely, high } = predicted;
  const range = low === high ? say(likely) : `${say(likely)} (${say(low)} – ${say(high)})`;
  const off = `${((100 * likely) / measured - 100).toFixed(1).replace('-', '−')} %`;
  const within = low < high && low <= measured && measured <= high ? 'in the range' : off;
  return [title, figure, say(measured), range, unit === 'share' ? '–' : within];
}

export const HEADINGS = ['run', 'figure', 'measured', 'predicted', 'difference'] as const;
