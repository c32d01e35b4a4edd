/** Reads memory snapshots, which may have gigabytes, in pieces, and keeps the last for the next question about it. */
import { expose } from 'comlink';
import { PickleError, type Pieces } from '../../../checkpoints/pickle_machine';
import { compareSnapshot, type Comparison } from '../../../estimate/snapshot/compare';
import { readSnapshot } from '../../../estimate/snapshot/read';
import type { MemorySnapshot } from '../../../estimate/snapshot/snapshot';
import type { VramRun } from '../../../estimate/vram/options';
import { answer, type Answer } from '../../ui/answer';

/** Bytes that are read at a time. */
const PIECE = 4 * 2 ** 20;

const piecesOfFile = (file: File): Pieces => ({
  size: file.size,
  piece: PIECE,
  read: (from, to) => new Uint8Array(new FileReaderSync().readAsArrayBuffer(file.slice(from, to))),
});

let last: { readonly about: string; readonly snapshot: MemorySnapshot } | undefined;

function snapshotIn(file: File): MemorySnapshot {
  const about = JSON.stringify([file.name, file.size, file.lastModified]);
  if (last?.about !== about) {
    // Both would not fit.
    last = undefined;
    last = { about, snapshot: readSnapshot(piecesOfFile(file)) };
  }
  return last.snapshot;
}

const reader = {
  compare(file: File, run: VramRun): Answer<Comparison> {
    try {
      return answer(() => compareSnapshot(snapshotIn(file), run));
    } catch (error) {
      if (error instanceof PickleError) return { problem: `${error.message}.` };
      throw error;
    }
  },
};
export type SnapshotReader = typeof reader;

expose(reader);
