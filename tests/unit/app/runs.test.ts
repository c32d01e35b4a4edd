import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readZip } from '../../../src/checkpoints/zip';
import { alignedPoints, lineOf, pointsOf, tagsOf } from '../../../src/app/pages/runs/curves';
import { curvesHeight, CURVES_WIDTH, drawCurves } from '../../../src/app/pages/runs/draw_curves';
import { logsZip, namedRows } from '../../../src/app/pages/runs/export';
import { tagsIn } from '../../../src/app/pages/runs/facts';
import { openLogs } from '../../../src/app/pages/runs/opened';
import { readLogs } from '../../../src/training/logs/read_log';
import type { ShownRun } from '../../../src/app/pages/runs/shown_run';
import {
  COLUMNS,
  DEFAULT_COLUMNS,
  differing,
  found,
  groupsBySeed,
  groupText,
  meanAndSd,
  sorted,
} from '../../../src/app/pages/runs/table';
import { SvgPen } from '../../../src/app/ui/svg_pen';
import { readEventFile } from '../../../src/training/logs/event_file';
import { readMetricsCsv } from '../../../src/training/logs/metrics_files';
import { SMOKE_RUN, type EegSettings } from '../../../src/training/settings';

let created = 1_700_000_000_000;
function runOf(
  name: string,
  settings: Partial<EegSettings> | null,
  losses: readonly number[] = [],
  more: Partial<ShownRun['run']> = {},
): ShownRun {
  const run = {
    id: name,
    name,
    pinned: false,
    created: created++,
    updated: created,
    config: '',
    device: 'a GPU',
    summary: null,
    last: [],
    best: [],
    ...more,
  };
  const summary = settings && {
    kind: 'eeg' as const,
    settings: { ...SMOKE_RUN, model: { ...SMOKE_RUN.model, baseChannels: 8 }, ...settings },
    plan: { parameters: 1, steps: 9, memory: [], windows: { training: 1, validation: 1 } },
    data: null,
    losses,
    validations: [],
    seconds: losses.length,
    outcome: null,
  };
  return { run, summary, bytes: 0, training: null, differences: [] };
}

const RUNS = [
  runOf('a', { seed: 1 }, [0.5, 0.25]),
  runOf('b', { seed: 2 }, [0.75], { tags: ['night'], note: 'agreed' }),
  runOf('c', { seed: 2, epochs: 9 }),
  runOf('weights.pt', null),
];
const names = (runs: readonly ShownRun[]): string => runs.map(({ run }) => run.name).join(' ');
const column = (name: string) => COLUMNS.find((one) => one.name === name)!;

describe('the table of runs', () => {
  test('has no two columns of one name', () => {
    const all = COLUMNS.map(({ name }) => name);
    expect(new Set(all).size).toBe(all.length);
    for (const name of DEFAULT_COLUMNS) expect(all).toContain(name);
  });

  test('is sorted by any column; what has no value comes last either way', () => {
    expect(names(sorted(RUNS, { by: 'run.loss', down: false }))).toBe('a b c weights.pt');
    expect(names(sorted(RUNS, { by: 'run.loss', down: true }))).toBe('b a c weights.pt');
    expect(names(sorted(RUNS, { by: 'run.started', down: true }))).toBe('weights.pt c b a');
    expect(names(sorted(RUNS, { by: 'name', down: true }))).toBe('weights.pt c b a');
    expect(names(sorted(RUNS, { by: 'epochs', down: true }))).toMatch(/^c .* weights\.pt$/);
  });

  test('finds all words of a search, wherever they are', () => {
    expect(names(found(RUNS, 'NIGHT agreed'))).toBe('b');
    expect(names(found(RUNS, 'night absent'))).toBe('');
    expect(names(found(RUNS, ' '))).toBe(names(RUNS));
    expect(names(found(RUNS, 'file'))).toBe('weights.pt');
  });

  test('says which settings differ among runs', () => {
    expect(differing(RUNS)).toEqual(['seed', 'epochs']);
    expect(differing(RUNS.slice(0, 2))).toEqual(['seed']);
    expect(differing(RUNS.slice(3))).toEqual([]);
  });

  test('has groups of runs that differ in the seed alone, with mean and standard deviation', () => {
    const groups = groupsBySeed(RUNS);
    expect(groups.map(({ runs }) => names(runs))).toEqual(['a b', 'c', 'weights.pt']);
    const [both] = groups;
    // 0.25 and 0.75: √(2 · 0.25² / (2 − 1)).
    expect(groupText(column('run.loss'), both!.runs)).toBe('0.500 ± 0.354');
    expect(groupText(column('run.auroc'), both!.runs)).toBe('');
    expect(groupText(column('run.device'), both!.runs)).toBe('a GPU');
    expect(groupText(column('seed'), both!.runs)).toBe('…');
    expect(groupText(column('run.loss'), [RUNS[0]!])).toBe('0.250');
    expect(meanAndSd([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ mean: 5, sd: Math.sqrt(32 / 7) });
  });

  test('reads tags as they are written', () => {
    expect(tagsIn(' night, ,two words,night,')).toEqual(['night', 'two words']);
    expect(tagsIn('')).toEqual([]);
  });
});

describe('what leaves', () => {
  test('is one table of all runs, and a folder of each', async () => {
    const runs = [runOf('a/b', { seed: 1 }, [0.5, 0.25]), runOf('a/b', { seed: 2 }, [0.75]), RUNS[3]!];
    expect(namedRows(runs).map(({ name }) => name)).toEqual(['a/b', 'a/b (2)']);
    const files = readZip(new Uint8Array(await logsZip(runs).arrayBuffer()));
    expect([...files.keys()].map((path) => path.replace(/\d{10}/, 'N'))).toEqual([
      'metrics.csv',
      'schema.json',
      'a_b/metrics.jsonl',
      'a_b/events.out.tfevents.N.smokescan',
      'a_b/config.yaml',
      'a_b_(2)/metrics.jsonl',
      'a_b_(2)/events.out.tfevents.N.smokescan',
      'a_b_(2)/config.yaml',
    ]);
    const text = (path: string): string => new TextDecoder().decode(files.get(path));
    const { runs: logs } = readMetricsCsv(text('metrics.csv'), 'metrics.csv');
    expect(
      logs
        .get('a/b')
        ?.get('Loss/step')
        ?.map(({ value }) => value),
    ).toEqual([0.5, 0.25]);
    const events = [...files].find(([path]) => path.startsWith('a_b_(2)/events'))!;
    expect(readEventFile(events[1], events[0]).log).toEqual(logs.get('a/b (2)'));
    expect(text('a_b_(2)/config.yaml')).toContain('$schema=../schema.json\n');
    expect(parse(text('a_b_(2)/config.yaml'))).toMatchObject({ experiment: { seed: 2 } });
  });

  test('is a picture with each curve and its name', () => {
    const log = new Map([['Loss/step', [1, 2, 3].map((step) => ({ step, value: 1 / step }))]]);
    const curves = ['one', '<two>'].map((label) => ({ id: label, label, log, opened: label === 'one' }));
    const pen = new SvgPen(CURVES_WIDTH, curvesHeight({ curves: [] }));
    const colours = { text: '#111111', muted: '#222222', line: '#333333', surface: '#ffffff' };
    drawCurves(pen, {
      title: 'Loss',
      colours,
      curves: curves.map((curve, i) => ({
        label: curve.label,
        colour: `#00000${i}`,
        dash: lineOf(curve, i).dash ?? [],
        points: pointsOf(curve, 'Loss/step'),
      })),
    });
    const svg = pen.toString();
    expect(
      svg.match(/<path d="[^"]*L[^"]*L[^"]*" fill="none" stroke="#000000"[^>]*stroke-dasharray/g),
    ).toHaveLength(1);
    expect(svg.match(/<path d="[^"]*L[^"]*L[^"]*" fill="none" stroke="#000001"/g)).toHaveLength(1);
    expect(svg).toContain('&#60;two&#62;</text>');
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});

test('curves of different steps stand over one axis', () => {
  const at = (...points: [number, number][]) => points.map(([step, value]) => ({ step, value }));
  expect(alignedPoints([at([1, 5], [3, 6]), at([2, 7])])).toEqual([
    [1, 2, 3],
    [5, undefined, 6],
    [undefined, 7, undefined],
  ]);
  expect(alignedPoints([])).toEqual([[]]);
  const sparse = at([1, 4], [50, 2], [100, 1]);
  expect(pointsOf({ log: new Map([['Loss/step', sparse]]) }, 'Loss/step')).toEqual(sparse);
  expect(pointsOf({ log: new Map([['Loss/step', at([1, 4], [2, 2])]]) }, 'Loss/step')[1]?.value).toBeCloseTo(
    5.6 / 1.9,
  );
  expect(tagsOf([{ id: '', label: '', opened: true, log: new Map([['x', []]]) }])).toEqual(['x']);
});

describe('logs from files', () => {
  const file = (name: string, text: string): File => new File([text], name);
  const CONFIG = 'data: {}\nmodel: {}\ntraining: {epochs: 7}\npostprocessing: {}\n';

  test('have the settings of the configuration that is opened with them', async () => {
    const { opened, others, problems } = await openLogs(
      [
        file('best.pt', ''),
        file('m.csv', 'run,epoch,Loss/train\nx,0,0.5\ny,0,0.25\n'),
        file('train.yaml', CONFIG),
      ],
      readLogs,
    );
    expect(problems).toEqual([]);
    expect(others.map(({ name }) => name)).toEqual(['best.pt']);
    expect(opened.map(({ name, settings }) => [name, settings?.epochs])).toEqual([
      ['x', 7],
      ['y', 7],
    ]);
  });

  test.each([
    [[file('train.yaml', CONFIG)], 'train.yaml: open it together with the log of its run'],
    [[file('m.csv', 'a,b\n1,2\n')], '"m.csv", line 1: it has no column step or epoch'],
    [[file('events.out.tfevents.1.x', 'no')], 'this is not an event file of TensorBoard'],
    [
      [file('m.csv', 'step,x\n1,2\n'), file('a.yaml', CONFIG), file('b.yaml', CONFIG)],
      'a.yaml: open one configuration with the logs of its run',
    ],
    [[file('m.csv', 'step,x\n1,2\n'), file('a.yaml', 'training: [')], 'a.yaml: '],
    [
      [file('m.csv', 'step,x\n1,2\n'), file('a.yaml', CONFIG.replace('epochs: 7', 'optimizer: sgd'))],
      'a.yaml: training.optimizer is "sgd"; here it must be adamw',
    ],
  ])('that cannot be used are named: %#', async (files, sentence) => {
    const { problems } = await openLogs(files, readLogs);
    expect(problems[0]).toContain(sentence);
  });
});
