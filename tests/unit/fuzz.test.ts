/** Damaged files of each kind that people give each other: each is read whole, or rejected with a sentence that can be shown. */
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random';
import { PickleError } from '../../src/checkpoints/pickle_machine';
import { SafetensorsError } from '../../src/checkpoints/safetensors';
import { StateError } from '../../src/checkpoints/state';
import { writeState, writeWeights } from '../../src/checkpoints/state_file';
import { TorchFileError } from '../../src/checkpoints/torch';
import { readZip, writeZip, ZipError } from '../../src/checkpoints/zip';
import { readConfig } from '../../src/config/settings';
import { inspect } from '../../src/config/issues';
import { TARGETS } from '../../src/config/targets';
import { planFor } from '../../src/estimate/forecast';
import { readWeightsFile } from '../../src/detection/weights';
import { DataError } from '../../src/eeg/errors';
import { parseAnnotations, readAnnotationFile } from '../../src/eeg/files/annotations';
import { SettingsError } from '../../src/run/failure';
import { crc32c } from '../../src/checkpoints/crc32';
import { recordOf } from '../../src/checkpoints/copies';
import { peaksAt, readHostSamples } from '../../src/estimate/host_samples';
import { readOomLog } from '../../src/estimate/oom_log';
import { ownFrom, queryOf } from '../../src/app/pages/fit/crash_query';
import { asJson, readSummary, summaryOf } from '../../src/training/run_record';
import { trainerCheckpoint } from '../../src/training/export';
import { readRunFile } from '../../src/training/run_file';
import { SMOKE_RUN } from '../../src/training/settings';
import { readEventFile, writeEventFile } from '../../src/training/logs/event_file';
import { logOf, rowsOf } from '../../src/training/logs/log';
import { metricsCsv, readMetricsCsv } from '../../src/training/logs/metrics_files';
import { decodeShare, encodeShare } from '../../src/training/share';
import { PROGRESS, randomState } from './checkpoints/states';
import { FULL } from '../full';
import { mutated, withinBounds } from './mutated';

const FILES = FULL ? 10_000 : 500;

const STATE = randomState({ 'a.weight': [4, 3], 'a.bias': [4], 'a.running_mean': [4], 'a.running_var': [4] });
const OF_A_RUN = {
  ...STATE,
  progress: { ...PROGRESS, config: JSON.stringify(SMOKE_RUN), schedule: { steps: 100 } },
};
const joined = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** With whole checksums, so that what is damaged is the pickle. */
function zipAnew(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const files = readZip(bytes);
  const name = 'archive/data.pkl';
  files.set(name, mutated(random, files.get(name) ?? new Uint8Array()));
  return joined(writeZip(files));
}

/** Damages one of the events and gives it whole checksums. */
function sumAnew(random: Random, original: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(original.buffer);
  const events: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < original.length; at += 16 + (events.at(-1)?.length ?? 0))
    events.push(original.slice(at + 12, at + 12 + Number(view.getBigUint64(at, true))));
  const damaged = random.integer(events.length);
  const sum = (of: Uint8Array): Uint8Array => {
    const crc = crc32c(of);
    return new Uint8Array(Uint32Array.of(((crc >>> 15) | (crc << 17)) + 0xa282ead8).buffer);
  };
  return joined(
    events.flatMap((event, i) => {
      const data = i === damaged ? mutated(random, event) : event;
      const length = new Uint8Array(BigUint64Array.of(BigInt(data.length)).buffer);
      return [length, sum(length), data, sum(data)];
    }),
  );
}

const ROWS = rowsOf({ losses: [0.75, 0.5, 0.25], validations: [] });

const CSV = `# version = csv_v1.0.0\n# bname = a\n# duration = 60.0000 secs\n\nchannel,start_time,stop_time,label,confidence\nTERM,0.0,10.0,bckg,1.0\nTERM,10.0,20.0,seiz,0.5\n`;
const TSV = 'onset\tduration\teventType\tconfidence\n0.0\t60.0\tbckg\t1\n10.0\t5.0\tsz_foc\t0.5\n';
const SUMMARY =
  'File Name: a.edf\nFile Start Time: 11:42:54\nFile End Time: 12:42:54\nNumber of Seizures in File: 1\nSeizure Start Time: 10 seconds\nSeizure End Time: 20 seconds\n';
const CONFIG =
  'data:\n  validation_split: 0.4 # "a"\n  num_workers: 2\nmodel: {name: seizure_detector}\ntraining:\n  batch_size: 4\n  learning_rate: 3e-4\n  early_stopping: {metric: auroc, patience: 3}\npostprocessing: {}\n';

const LOG =
  'kernel: Out of memory: Killed process 794619 (python) total-vm:41943040kB, anon-rss:31457280kB, file-rss:1024kB, shmem-rss:2048kB, UID:1000\nkernel: 8388608 pages RAM\nEpoch 1:  12%|#2  | 1234/10000 [10:00<1:00:00]\nRuntimeError: DataLoader worker (pid(s) 12) exited unexpectedly\n';

/** What is nothing is told by whoever asked. */
function accepted<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new DataError('a file', 'text', 'it is none of these');
  return value;
}

interface Kind {
  readonly originals: readonly Uint8Array<ArrayBuffer>[];
  readonly read: (bytes: Uint8Array<ArrayBuffer>) => unknown;
  readonly errors: readonly (abstract new (...args: never[]) => Error)[];
  readonly damage?: (random: Random, original: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  /** At least such a share is read, and rejected. */
  readonly shares: readonly [number, number];
}

const OF_CHECKPOINTS = [SettingsError, SafetensorsError, StateError, TorchFileError, ZipError, PickleError];

const KINDS: Readonly<Record<string, Kind>> = {
  'weights and states as safetensors': {
    originals: [writeWeights(STATE), writeState(OF_A_RUN)].map((bytes) => new Uint8Array(bytes)),
    read: (bytes) => [readWeightsFile(bytes), readRunFile(bytes)],
    errors: OF_CHECKPOINTS,
    shares: [0.01, 0.5],
  },
  'checkpoints of PyTorch': {
    originals: [joined(trainerCheckpoint(OF_A_RUN, SMOKE_RUN))],
    read: (bytes) => [readWeightsFile(bytes), readRunFile(bytes)],
    errors: OF_CHECKPOINTS,
    shares: [0, 0.5],
  },
  'pickles in whole zips': {
    originals: [joined(trainerCheckpoint(OF_A_RUN, SMOKE_RUN))],
    read: (bytes) => [readWeightsFile(bytes), readRunFile(bytes)],
    errors: OF_CHECKPOINTS,
    damage: (random, original) => zipAnew(original, random),
    shares: [0.005, 0.5],
  },
  'events as csv_bi, csv, tse, tsv and summaries': {
    originals: [CSV, TSV, SUMMARY].map(bytesOf),
    read: (bytes) => [
      ...['a.csv_bi', 'a.csv', 'a.tse', 'a.lbl', 'a_events.tsv'].map((name) => {
        try {
          return parseAnnotations(name, textOf(bytes));
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          return error.message;
        }
      }),
      readAnnotationFile('chb01-summary.txt', bytes, 'a.edf'),
    ],
    errors: [DataError],
    shares: [0.05, 0.05],
  },
  configurations: {
    originals: [bytesOf(CONFIG)],
    read: (bytes) => {
      const text = textOf(bytes);
      const target = TARGETS.local;
      const { accepted } = inspect(text, { name: 'a.yaml', target });
      // A file that is not accepted has no run to plan.
      return accepted && planFor(readConfig(text).settings, 'a.yaml', target);
    },
    errors: [],
    shares: [1, 0],
  },
  links: {
    originals: [
      bytesOf(
        encodeShare({
          ...SMOKE_RUN,
          epochs: 3,
          learningRate: 1e-4,
          balanced: false,
          falseAlarmRates: [10, 0.5],
        }),
      ),
    ],
    read: (bytes) => decodeShare(textOf(bytes)),
    errors: [SettingsError],
    shares: [0.01, 0.1],
  },
  'links to a crash': {
    originals: [bytesOf(queryOf({ place: 'wsl2', ramGiB: 31.2, batch: 16, workers: 4, afterBatches: 1200 }))],
    read: (bytes) => accepted(ownFrom(textOf(bytes))),
    errors: [DataError],
    shares: [0.01, 0.1],
  },
  'kernel logs of a crash': {
    originals: [bytesOf(LOG)],
    read: (bytes) => accepted(readOomLog(textOf(bytes))),
    errors: [DataError],
    shares: [0.1, 0.01],
  },
  'samples of memory by psrecord and ps': {
    originals: [
      '# Elapsed time   CPU (%)     Real (MB)   Virtual (MB)\n  0.000  0.000  100.000  900.000\n  1.500  99.000  300.000  900.000\n',
      'time,pid,rss,comm\n2026-01-01T00:00:00Z,1,1000,python\n2026-01-01T00:00:05Z,1,2000,python\n',
    ].map(bytesOf),
    read: (bytes) => peaksAt(readHostSamples(textOf(bytes)), [0, 0.5, 1]),
    errors: [RangeError],
    shares: [0.1, 0.1],
  },
  'event files of TensorBoard': {
    originals: [writeEventFile(logOf(ROWS), 1)],
    read: (bytes) => readEventFile(bytes, 'x'),
    errors: [DataError],
    shares: [0.1, 0.1],
  },
  'events with whole checksums': {
    originals: [writeEventFile(logOf(ROWS), 1)],
    read: (bytes) => readEventFile(bytes, 'x'),
    errors: [DataError],
    damage: sumAnew,
    shares: [0.5, 0.01],
  },
  'metrics as CSV': {
    originals: [bytesOf(metricsCsv([{ name: 'a', seed: 1, rows: ROWS }]))],
    read: (bytes) => readMetricsCsv(textOf(bytes), 'x.csv'),
    errors: [DataError],
    shares: [0.05, 0.1],
  },
  'records of copied runs': {
    originals: [
      bytesOf(
        JSON.stringify({
          ...{ id: 'a', name: 'b', config: '{}', device: 'c', pinned: false, created: 1, updated: 2 },
          summary: asJson(
            summaryOf({ ...OF_A_RUN, progress: { ...OF_A_RUN.progress, sampler: { windows: 10 } } }),
          ),
          last: [{ number: 1, step: 2, saved: 3, bytes: 4, verified: true, manifestSha256: '' }],
          best: [],
        }),
      ),
    ],
    read: (bytes) => readSummary(recordOf(textOf(bytes)).summary),
    errors: [StateError],
    shares: [0.005, 0.1],
  },
};

describe.each(Object.entries(KINDS))('%s', (name, { originals, read, errors, damage = mutated, shares }) => {
  test(`${FILES} damaged ones`, { timeout: 600_000 }, async () => {
    const random = new Random(3, name);
    const counts = { read: 0, rejected: 0 };
    for (let i = 0; i < FILES; i++) {
      const file = damage(random, originals[i % originals.length] ?? new Uint8Array());
      try {
        await withinBounds(() => read(file));
        counts.read++;
      } catch (error) {
        if (!(error instanceof Error) || !errors.some((kind) => error instanceof kind)) throw error;
        expect(error.message.length).toBeLessThan(1000);
        expect(error.message).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
        counts.rejected++;
      }
    }
    // Both ways must be trodden, or the test would prove little.
    const [readShare, rejectedShare] = shares;
    expect(counts.read).toBeGreaterThanOrEqual(readShare * FILES);
    expect(counts.rejected).toBeGreaterThanOrEqual(rejectedShare * FILES);
  });
});
