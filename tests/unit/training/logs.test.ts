import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../src/checkpoints/crc32';
import { readConfig } from '../../../src/config/settings';
import { TARGETS } from '../../../src/config/targets';
import { inspectRun } from '../../../src/estimate/forecast';
import { fromTrainer } from '../../../src/training/config';
import { configYaml } from '../../../src/training/logs/config_yaml';
import { eventFileName, readEventFile, writeEventFile } from '../../../src/training/logs/event_file';
import { logOf, rowsOf, type Log } from '../../../src/training/logs/log';
import {
  metricsCsv,
  metricsJsonl,
  readMetricsCsv,
  readMetricsJsonl,
} from '../../../src/training/logs/metrics_files';
import { partings } from '../../../src/training/logs/parting';
import { readLogs } from '../../../src/training/logs/read_log';
import type { RecordedValidation } from '../../../src/training/run_record';
import { PRODUCTION_RUN, SMOKE_RUN } from '../../../src/training/settings';
import { pythonWith, runPython } from '../config/python';

const validation = (epoch: number, step: number, auroc: number | undefined): RecordedValidation => ({
  epoch,
  step,
  best: true,
  scores: {
    auroc,
    taes: epoch / 4,
    operatingPoints: [{ falseAlarmRate: 10, sensitivity: 0.5 }],
  } as unknown as RecordedValidation['scores'],
});

/** What TensorBoard 2.21.0 writes with its own Event, Summary and masked_crc32c. */
const THEIRS =
  'GAAAAAAAAACjf0siCQAAEIDDM9pBGg1icmFpbi5FdmVudDoygGDubR4AAAAAAAAA2dwSMgkAAFCAwzPaQSoTChEKCkxvc3MvdHJhaW4VAAAAPzmPNzcgAAAAAAAAACntqVAJAACQgMMz2kEQASoTChEKCkxvc3MvdHJhaW4VAACAPqMYRREoAAAAAAAAAP9wFkoJAADQgMMz2kEQASobChkKDU1ldHJpY3MvQVVST0NCCAgBKgQAAEA/bs8/WzsAAAAAAAAAGiOsXAkAANCAwzPaQRACKi4KHQoNTWV0cmljcy9BVVJPQ0IMCAIiCAAAAAAAAMA/Cg0KBHRleHRCBQgHQgF4O8ZK5g==';

/** The fields that a scalar needs, of event.proto, summary.proto, tensor.proto and types.proto. */
const { root } = parse(`
  syntax = "proto3";
  message Event {
    double wall_time = 1; int64 step = 2;
    oneof what { string file_version = 3; Summary summary = 5; }
  }
  message Summary { repeated Value value = 1; }
  message Value {
    string tag = 1;
    oneof value { float simple_value = 2; Tensor tensor = 8; }
  }
  message Tensor { int32 dtype = 1; bytes tensor_content = 4; repeated float float_val = 5; repeated double double_val = 6; }
`);
const EVENT = root.lookupType('Event');

interface DecodedEvent {
  wallTime: number;
  step: number;
  fileVersion?: string;
  summary?: { value: { tag: string; simpleValue: number }[] };
}

/** The records of an event file, decoded by protobufjs. */
function decoded(file: Uint8Array): DecodedEvent[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const events: DecodedEvent[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(view.getBigUint64(at, true));
    const event = EVENT.decode(file.subarray(at + 12, at + 12 + length));
    events.push(EVENT.toObject(event, { longs: Number }) as DecodedEvent);
    at += 16 + length;
  }
  return events;
}

const PYTHON = pythonWith('tensorboard', 'pip install tensorboard');
const READER = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(json.load(sys.stdin)).Reload()
json.dump({tag: [[e.wall_time, e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()['scalars']}, sys.stdout)
`;

/** Float32 values, so that an event file has them exactly. */
const RUN = {
  losses: [0.75, NaN, 0.5, 0.25],
  validations: [validation(1, 2, undefined), validation(2, 4, 0.875)],
};
const ROWS = rowsOf(RUN);
const LOG: Log = new Map([
  [
    'Loss/step',
    [
      { step: 1, value: 0.75 },
      { step: 3, value: 0.5 },
      { step: 4, value: 0.25 },
    ],
  ],
  [
    'Metrics/TAES',
    [
      { step: 0, value: 0.25 },
      { step: 1, value: 0.5 },
    ],
  ],
  [
    'Metrics/sensitivity_at_10.0fa',
    [
      { step: 0, value: 0.5 },
      { step: 1, value: 0.5 },
    ],
  ],
  ['Loss/train', [{ step: 1, value: 0.375 }]],
  ['Metrics/AUROC', [{ step: 1, value: 0.875 }]],
]);

test('a run logs by the trainer’s tags: scores by epoch from 0, the mean loss where all of an epoch is known', () => {
  expect(logOf(ROWS)).toEqual(LOG);
});

describe('event files', () => {
  test('have the checksum of RFC 3720', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  });

  test('come back as they were, byte for byte', () => {
    const file = writeEventFile(LOG, 1_700_000_000.5);
    const { log, time, remark } = readEventFile(file, 'events');
    expect([log, time, remark]).toEqual([LOG, 1_700_000_000.5, null]);
    expect(writeEventFile(log, time)).toEqual(file);
    expect(readEventFile(writeEventFile(LOG, 0), 'events')).toMatchObject({ log: LOG, time: 0 });
  });

  test('of TensorBoard’s own writer are read: scalars as simple_value and as tensors, and nothing else', () => {
    const file = new Uint8Array(Buffer.from(THEIRS, 'base64'));
    expect(readEventFile(file, 'events')).toEqual({
      log: new Map([
        [
          'Loss/train',
          [
            { step: 0, value: 0.5 },
            { step: 1, value: 0.25 },
          ],
        ],
        [
          'Metrics/AUROC',
          [
            { step: 1, value: 0.75 },
            { step: 2, value: 0.125 },
          ],
        ],
      ]),
      time: 1_758_400_000.25,
      remark: null,
    });
    // Its first record.
    expect(writeEventFile(new Map(), 1_758_400_000.25)).toEqual(file.subarray(0, 40));
  });

  test('are what a decoder of protobuf reads: a version, then a value an event', () => {
    const log: Log = new Map([
      ...LOG,
      [
        'Größe – 大',
        [
          { step: 2 ** 40 + 1, value: -1.5e-40 },
          { step: Number.MAX_SAFE_INTEGER, value: 3e38 },
        ],
      ],
    ]);
    const [version, ...events] = decoded(writeEventFile(log, 1_700_000_000.5));
    expect(version).toEqual({ wallTime: 1_700_000_000.5, fileVersion: 'brain.Event:2' });
    expect(events).toEqual(
      [...log].flatMap(([tag, points]) =>
        points.map(({ step, value }) => ({
          wallTime: 1_700_000_000.5,
          // proto3 leaves out what is 0.
          ...(step !== 0 && { step }),
          summary: { value: [{ tag, simpleValue: Math.fround(value) }] },
        })),
      ),
    );
  });

  test.runIf(PYTHON)('of ours are read by TensorBoard’s own reader', () => {
    const folder = mkdtempSync(join(tmpdir(), 'smokescan-events-'));
    const path = join(folder, eventFileName(1_700_000_000));
    writeFileSync(path, writeEventFile(LOG, 1_700_000_000));
    const read = runPython(PYTHON ?? '', READER, folder) as Record<string, [number, number, number][]>;
    rmSync(folder, { recursive: true });
    expect(new Map(Object.entries(read))).toEqual(
      new Map(
        [...LOG].map(([tag, points]) => [tag, points.map(({ step, value }) => [1_700_000_000, step, value])]),
      ),
    );
  });

  test('that are cut off or damaged give what is before the damage, or say that they are none', () => {
    const file = writeEventFile(LOG, 1);
    const first = 16 + Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(() => readEventFile(new Uint8Array(), 'x')).toThrow('the file is empty');
    for (let end = 1; end < first; end++)
      expect(() => readEventFile(file.slice(0, end), 'x')).toThrow(
        'this is not an event file of TensorBoard',
      );
    for (let end = first + 1; end < file.length; end++) {
      const { remark } = readEventFile(file.slice(0, end), 'x');
      if (remark !== null) expect(remark).toMatch(/^"x" ends within record \d+: the \d+ before it were read/);
    }
    for (let at = first; at < file.length; at++) {
      const bad = file.slice();
      bad[at] = (bad[at] ?? 0) ^ 0x10;
      expect(readEventFile(bad, 'x').remark, `${at}`).toMatch(/has a wrong checksum in record/);
    }
  });
});

describe('tables', () => {
  test('come back as they were', () => {
    expect(readMetricsJsonl(metricsJsonl(ROWS), 'x')).toEqual(ROWS);
    const csv = metricsCsv([
      { name: 'a, "b"', seed: 1, rows: ROWS },
      { name: 'none', seed: 2, rows: [] },
      { name: 'other', seed: 2, rows: rowsOf({ losses: [1e-7], validations: [] }) },
    ]);
    expect(csv.split('\r\n')[0]).toBe(
      'run,seed,step,epoch,Loss/step,Metrics/TAES,Metrics/sensitivity_at_10.0fa,Loss/train,Metrics/AUROC',
    );
    expect(readMetricsCsv(csv, 'x.csv')).toEqual({
      runs: new Map<string, Log>([
        ['a, "b"', LOG],
        ['other', new Map([['Loss/step', [{ step: 1, value: 1e-7 }]]])],
      ]),
      remark: null,
    });
  });

  test('with texts in them have their numbers read, and the other columns are named', async () => {
    const text = 'phase,step,loss,note,auroc\nwarm-up,1,0.5,,nan\nmain,2,0.25,"0,5",0.75\n';
    expect(await readLogs(new File([text], 'x.csv'))).toEqual([
      {
        name: 'x',
        log: new Map([
          [
            'loss',
            [
              { step: 1, value: 0.5 },
              { step: 2, value: 0.25 },
            ],
          ],
          ['auroc', [{ step: 2, value: 0.75 }]],
        ]),
        remark:
          'Columns of "x.csv" that have a text in them were left out: "phase" (line 2: "warm-up"), "note" (line 3: "0,5").',
      },
    ]);
  });

  test('of TensorBoard have their tag in the file’s name', async () => {
    const text = 'Wall time,Step,Value\n1758400000.1,0,0.5\n1758400001.2,1,0.25\n';
    const [read] = await readLogs(new File([text], 'run-.-tag-Metrics_sensitivity_at_10.0fa.csv'));
    expect(read?.log).toEqual(
      new Map([
        [
          'Metrics/sensitivity_at_10.0fa',
          [
            { step: 0, value: 0.5 },
            { step: 1, value: 0.25 },
          ],
        ],
      ]),
    );
  });

  test.each([
    ['', 'it has no column step or epoch'],
    ['loss,acc\n1,2\n', 'it has no column step or epoch'],
    ['step,epoch\n1,2\n', 'it has no column of values'],
    ['step,loss\n', 'it has no values'],
    ['step,loss\n1,0.5\nx,0.5\n', '"x.csv", line 3, "step": "x" is no number'],
    ['step,loss\n1,"0,5"\n', '"x.csv", line 2, "loss": "0,5" is no number'],
    ['step,loss\n1,nan\n', 'no scalar is in it'],
  ])('%j is rejected with a sentence', async (text, sentence) => {
    await expect(readLogs(new File([text], 'x.csv'))).rejects.toThrow(sentence);
  });

  test.each(['{"step":1', 'null', '{"step":"1"}', '{"step":1,"Loss/step":null}'])(
    'a line that is no step is named: %s',
    (line) => {
      expect(() => readMetricsJsonl(`{"step":1}\n${line}\n`, 'm.jsonl')).toThrow(
        '"m.jsonl", line 2: this is no step of a run',
      );
    },
  );
});

test('two logs part where a value of a tag that both have differs by more than the tolerance', () => {
  const other: Log = new Map([
    [
      'Loss/step',
      [
        { step: 2, value: 9 },
        { step: 3, value: 0.504 },
        { step: 4, value: 0.3 },
      ],
    ],
    ['Loss/train', [{ step: 1, value: 0.375 }]],
    ['Metrics/TAES', [{ step: 7, value: 1 }]],
    ['Loss/val', [{ step: 0, value: 1 }]],
  ]);
  expect(partings(LOG, other, 0.01)).toEqual([
    { tag: 'Loss/step', common: 2, first: { step: 4, values: [0.25, 0.3] } },
    { tag: 'Loss/train', common: 1, first: undefined },
  ]);
  expect(partings(LOG, other, 0)[0]?.first?.step).toBe(3);
});

test.each([
  ['smoke', { ...SMOKE_RUN, model: { ...SMOKE_RUN.model, baseChannels: 8 } }],
  ['production', { ...PRODUCTION_RUN, learningRate: 1e-6 }],
])('the settings of a %s run are a configuration that the trainer takes', (_, settings) => {
  const text = configYaml(settings, 'a/config.yaml');
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../schema.json');
  expect(
    inspectRun(text, { name: 'config.yaml', target: TARGETS.local }).issues.filter(
      ({ severity, id }) => severity === 'invalid' || id === 'yaml-1.1',
    ),
  ).toEqual([]);
  const read = fromTrainer(readConfig(text).settings).settings;
  expect(configYaml({ ...read, model: settings.model }, 'a/config.yaml')).toBe(text);
});
