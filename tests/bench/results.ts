/** Reports of GPUs, as `npx smokescan bench --out FILE` and the page save them, as the rows of a table in FEATURES.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GpuReport } from '../../src/training/gpu_report';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'results');

const giga = (value: number): string => (value / 1e9).toLocaleString('en', { maximumSignificantDigits: 3 });

export function rowOf({ gpu, kernels, limits, check, step }: GpuReport): string {
  const cells = [
    gpu,
    `${giga(limits.flopsPerSecond)} GFLOP/s`,
    `${giga(limits.bytesPerSecond)} GB/s`,
    check.wrong.length === 0
      ? `${check.cases} ops right`
      : `wrong: ${check.wrong.map(({ op }) => op).join(', ')}`,
    step ? `width ${step.width}: ${giga(1e9 * step.milliseconds)} ms, ${step.dispatches} dispatches` : '–',
    step ? `${(100 * step.share).toFixed(0)} %` : '–',
    kernels,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** A row for each file of results/, by the file's name. */
export const resultRows = (): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => rowOf(JSON.parse(readFileSync(join(folder, name), 'utf8')) as GpuReport));

/** Prints the table. */
export function main(): number {
  console.log(
    '| GPU | float32 | bandwidth | beside float64 | training step, batch 1 | of the FLOP rate | kernels |',
  );
  console.log('|---|---|---|---|---|---|---|');
  for (const row of resultRows()) console.log(row);
  return 0;
}
