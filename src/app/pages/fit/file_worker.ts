/**
 * Reads what strangers give to this page: memory snapshots, which may have gigabytes, in pieces, the last kept for the next
 * question about it; and logs of a host’s memory.
 */
import { expose } from 'comlink';
import { PickleError, type Pieces } from '../../../checkpoints/pickle_machine';
import { isHostSamples, readHostSamples, type HostSamples } from '../../../estimate/host_samples';
import { readOomLog } from '../../../estimate/oom_log';
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

/** Of a log: the end of the kernel’s, the start of samples. */
const LOG_BYTES = 8e6;
const SAMPLES_BYTES = 64e6;
const HEAD_BYTES = 4096;

/** Samples over time, or the text of a kernel log. */
export type HostLog = { readonly samples: HostSamples } | { readonly text: string };

const reader = {
  compare(file: File, run: VramRun): Answer<Comparison> {
    try {
      return answer(() => compareSnapshot(snapshotIn(file), run));
    } catch (error) {
      if (error instanceof PickleError) return { problem: `${error.message}.` };
      throw error;
    }
  },

  async hostLog(file: File): Promise<Answer<HostLog>> {
    if (isHostSamples(await file.slice(0, HEAD_BYTES).text())) {
      const text = await file.slice(0, SAMPLES_BYTES).text();
      return answer(() => ({ samples: readHostSamples(text) }));
    }
    const text = await file.slice(-LOG_BYTES).text();
    return readOomLog(text)
      ? { value: { text } }
      : {
          problem:
            'No OOM kill is in it, and no samples of memory. Drop the output of dmesg or journalctl -k, a log of psrecord, or a CSV with columns time and rss.',
        };
  },
};
export type FileReaders = typeof reader;

expose(reader);
