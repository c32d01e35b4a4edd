import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { Random } from '../../../src/base/random';
import { PickleError, piecesOf } from '../../../src/checkpoints/pickle_machine';
import { pickle } from '../../../src/checkpoints/pickle';
import { predictedSnapshot } from '../../../src/estimate/snapshot/predicted';
import { allocationsOf, levels, reservedUntil } from '../../../src/estimate/snapshot/allocations';
import { readSnapshot } from '../../../src/estimate/snapshot/read';
import {
  framesOf,
  isActive,
  SnapshotError,
  type MemorySnapshot,
} from '../../../src/estimate/snapshot/snapshot';
import { roundSize } from '../../../src/estimate/vram/allocator';
import { writeSnapshot } from '../../../src/estimate/snapshot/write';
import type { VramRun } from '../../../src/estimate/vram/options';
import { PRODUCTION_VRAM } from './plans';
import { replayRun } from '../../../src/estimate/vram/scenarios';
import { pythonWith } from '../config/python';
import { pythonWithTorch, torch } from '../checkpoints/python';
import { FULL } from '../../full';
import { mutated, withinBounds } from '../mutated';
import { SMALL_SNAPSHOT } from './snapshots';

const RUN: VramRun = { ...PRODUCTION_VRAM, layers: 1, mixer: 'conv', kernelSizes: [3] };
const snapshot = predictedSnapshot(RUN);
const file = writeSnapshot(snapshot);

/** Bytes that the allocator counts at the end of the trace of a device. */
const allocatedAtEnd = ({ segments }: MemorySnapshot, device: number): number =>
  segments
    .filter((segment) => segment.device === device)
    .flatMap(({ blocks }) => blocks.filter(isActive))
    .reduce((sum, { requested }) => sum + roundSize(requested), 0);

/** As expect compares them, megabytes take a minute. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Columns and lists as plain values. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, part: unknown) =>
      ArrayBuffer.isView(part) ? [...(part as Uint8Array)] : part,
    ),
  );

/** All of it, with the frames of stacks in their places: their numbers are in the order of the file. */
const resolved = (of: MemorySnapshot): unknown =>
  plain([
    of.traces.map((trace) => ({ ...trace, stack: [...trace.stack].map((stack) => framesOf(of, stack)) })),
    of.segments.map((segment) => ({
      ...segment,
      stack: framesOf(of, segment.stack),
      blocks: segment.blocks.map((block) => ({ ...block, stack: framesOf(of, block.stack) })),
    })),
  ]);

describe('the predicted run as a snapshot', () => {
  it('is what it was after it was written and read, and is written to the same bytes', () => {
    const read = readSnapshot(piecesOf(file));
    expect(same(writeSnapshot(read), file)).toBe(true);
    expect(resolved(read)).toEqual(resolved(snapshot));
  });

  it('is the same read in pieces of a few bytes', () => {
    const small = writeSnapshot(SMALL_SNAPSHOT);
    const whole = readSnapshot(piecesOf(small));
    for (const piece of [1, 7, 64]) expect(plain(readSnapshot(piecesOf(small, piece)))).toEqual(plain(whole));
  });

  it('peaks where the simulation of the run does', () => {
    const all = allocationsOf(snapshot, 0);
    const events = snapshot.traces[0]?.action.length ?? 0;
    const level = levels(all, 0, events - 1);
    const { allocated, reserved } = replayRun(RUN, 'likely');
    // The allocator hands out blocks that are larger by up to a MiB.
    expect(Math.max(...level)).toBeLessThanOrEqual(allocated);
    expect(Math.max(...level)).toBeGreaterThan(0.98 * allocated);
    expect(level.at(-1)).toBe(allocatedAtEnd(snapshot, 0));
    expect(reservedUntil(snapshot, 0, events - 1)).toBe(reserved);
  });
});

const python = pythonWith('pickle', 'on Debian: python3');
test.skipIf(python === undefined)(
  'Python reads it, and what it writes in protocols 2 to 5 is read alike',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'smokescan-snapshot-'));
    try {
      writeFileSync(join(folder, 'in'), file);
      const { status, stderr } = spawnSync(python as string, [
        '-c',
        'import pickle, sys\nf = sys.argv[1]\ns = pickle.load(open(f + "/in", "rb"))\nfor p in (2, 3, 4, 5): pickle.dump(s, open(f"{f}/{p}", "wb"), p)',
        folder,
      ]);
      expect(String(stderr)).toBe('');
      expect(status).toBe(0);
      for (const protocol of [2, 3, 4, 5])
        expect(
          same(writeSnapshot(readSnapshot(piecesOf(readFileSync(join(folder, `${protocol}`))))), file),
        ).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

/** PyTorch's own tools: those of 1.13 take segments alone, later ones the whole; their assertions are the check. */
const VIEWER = `
import importlib.util, io, json, os, pickle, sys, torch
import torch.cuda._memory_viz as viz
data = pickle.load(open(sys.argv[1], 'rb'))
whole = hasattr(viz, 'segsum')
given = data if whole else data['segments']
same = lambda lines: lines
out = {'segments': viz.segments(given, same), 'memory': viz.memory(given, same)}
if whole:
    out['stats'], out['trace'], out['plot'] = viz.segsum(data), viz.trace(data), viz.trace_plot(data)
else:
    out['stats'] = str(viz.stats(given))
json.dump(out, sys.stdout)
`;

test.skipIf(pythonWithTorch === undefined)(
  'PyTorch’s tools for snapshots take it, and find its segments and blocks',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'smokescan-snapshot-'));
    try {
      const path = join(folder, 'predicted.pickle');
      writeFileSync(path, file);
      const out = torch(VIEWER, path) as Record<'segments' | 'memory' | 'stats', string>;
      expect(out.segments).toContain(`seg_${snapshot.segments[0]?.address}`);
      expect(out.memory).toContain('active_allocated');
      expect(out.stats).toContain(`${snapshot.segments.length}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

describe('a pickle that is no snapshot', () => {
  const bytes = (...parts: (number | string)[]) =>
    Uint8Array.from(
      parts.flatMap((part) => (typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)])),
    );

  test.each([
    [
      'of a class',
      bytes(0x80, 2, 'cposix\nsystem\n', 'X', 2, 0, 0, 0, 'ls', 0x85, 'R.'),
      PickleError,
      /names "posix.system"; only plain/,
    ],
    ['of segments alone', pickle([]).bytes, SnapshotError, /holds segments and no events\. Call torch/],
    ['of something else', pickle(new Map([['a', 1]])).bytes, SnapshotError, /no device_traces and segments/],
    ['that is cut', file.subarray(0, file.length >> 1), PickleError, /ends too early/],
    ['of nothing', new Uint8Array(), PickleError, /ends too early/],
  ])('%s is rejected with a sentence', (_, given, error, sentence) => {
    expect(() => readSnapshot(piecesOf(given))).toThrow(error);
    expect(() => readSnapshot(piecesOf(given))).toThrow(sentence);
  });

  const DAMAGED = FULL ? 10_000 : 500;
  it(`${DAMAGED} damaged ones are read whole or rejected with a sentence`, async () => {
    const small = writeSnapshot(SMALL_SNAPSHOT);
    const random = new Random(5, 'snapshots');
    const counts = { read: 0, rejected: 0 };
    for (let i = 0; i < DAMAGED; i++)
      try {
        const damaged = mutated(random, small);
        await withinBounds(() => {
          const read = readSnapshot(piecesOf(damaged));
          read.traces.forEach((_, device) => allocationsOf(read, device));
        });
        counts.read++;
      } catch (error) {
        if (!(error instanceof PickleError || error instanceof SnapshotError)) throw error;
        expect(error.message).toMatch(/^[^\p{Cc}\p{Cf}]{10,500}$/u);
        counts.rejected++;
      }
    expect(counts.read).toBeGreaterThan(DAMAGED / 20);
    expect(counts.rejected).toBeGreaterThan(DAMAGED / 5);
  });
});
