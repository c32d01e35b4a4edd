import { GIB } from '../../../src/base/units';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { crashView } from '../../../src/app/pages/fit/crash_view';
import { reviewInput } from '../../../src/app/pages/config/reviewing';
import { INCIDENTS, readIncident, type Incident } from '../../../src/config/incidents';
import { PRESETS, presetOf } from '../../../src/config/presets';
import { TARGETS } from '../../../src/config/targets';
import { RamEnsemble } from '../../../src/estimate/oom_odds';
import { insteadRun, mechanismsOf, replayedRun, replayIncident } from '../../../src/estimate/incident';
import { PRODUCTION_VRAM } from '../estimate/plans';
import { claimTable } from '../../../src/estimate/vram/claims';
import { reviewDocument } from '../../../src/handoff/review';
import { reviewOf } from '../../../src/handoff/review/from_incident';

const train = PRESETS.find(({ name }) => name === 'configs/local/train.yaml')?.text ?? '';
const withLoader = (batch: number, workers: number): string =>
  train
    .replace(/batch_size: \d+/, `batch_size: ${batch}`)
    .replace(/num_workers: \d+/, `num_workers: ${workers}`);
const TEXTS = {
  'configs/mine/crash.yaml': withLoader(32, 6),
  'configs/mine/fixed.yaml': withLoader(4, 1),
};
const data = (): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL('fixtures/2026-03-02.json', import.meta.url), 'utf8')) as Record<
    string,
    unknown
  >;
const SECOND = readIncident(data(), TEXTS);

describe('the incidents of this repository', () => {
  test('name only files that are there, and are ordered by their days', () => {
    expect(INCIDENTS.map(({ id }) => id)).toEqual(INCIDENTS.map(({ id }) => id).sort());
    expect(INCIDENTS[0].id).toBe('2025-01-19');
    for (const incident of INCIDENTS) {
      const { after, others } = incident.review;
      const named = [
        incident.config,
        incident.replay.instead.config,
        ...[...after, ...others].map(({ config }) => config),
      ];
      for (const name of named) expect(presetOf(incident, name).text).not.toBe('');
    }
  });

  test('offer their files as presets', () => {
    for (const { name, text } of INCIDENTS.flatMap(({ files }) => files))
      expect(PRESETS.find((preset) => preset.name === name)).toMatchObject({ corrected: false, text });
  });
});

describe('an incident that is no incident is rejected', () => {
  const changed = (path: string, value: unknown): unknown => {
    const root = data();
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const at = keys.reduce((node, key) => node[key] as Record<string, unknown>, root);
    if (value === undefined) delete at[last];
    else at[last] = value;
    return root;
  };

  test.each([
    ['machine.ramGiB', undefined, /expected number[^]*machine\.ramGiB/],
    ['killed.afterBatches', -1, /killed\.afterBatches/],
    ['review.statements', [{ section: 'cause' }], /review\.statements\[0\]\.said/],
    ['review.claims', [], /Unrecognized key: "claims"/],
    ['replay.replayed', 'views', /2026-03-02 has no mechanism views to replay/],
    [
      'files',
      [{ name: 'configs/none.yaml', title: 'a', purpose: 'a', description: 'a', target: 'local' }],
      /has a file configs\/none\.yaml that is not there/,
    ],
  ])('%s', (path, value, message) => {
    expect(() => readIncident(changed(path, value), TEXTS)).toThrow(message);
  });

  test('where it names a configuration that is not there', () => {
    const incident = readIncident(changed('config', 'configs/none.yaml'), TEXTS);
    expect(() => reviewOf(incident, '2026-04-01')).toThrow(
      '2026-03-02 names configs/none.yaml, which is not there',
    );
  });
});

describe('a second incident is a second file', () => {
  const short = (incident: Incident) => ({ ...replayedRun(incident), batches: 400 });

  test('its mechanisms are simulated with its configuration on its machine', () => {
    const [copies, kept] = mechanismsOf(SECOND);
    expect(copies).toMatchObject({ id: 'copies', options: { batch: 32, workers: 6, arraysStay: 0 } });
    expect(copies?.options.machine).toMatchObject({ ramBytes: 16 * GIB, swap: { high: 0 } });
    expect(kept?.options.heapKeeps).toMatchObject({ low: 0.9, likely: 1, high: 1 });
    expect(replayedRun(SECOND)).toEqual(kept?.options);
    expect(insteadRun(SECOND)).toMatchObject({ batch: 4, workers: 1, arraysStay: 1 });
    const { batches, stepSeconds } = replayedRun(SECOND);
    expect(batches * stepSeconds).toBeCloseTo(2 * 3600, 6);
  });

  test('its kill is replayed, and drawn with its own words', () => {
    const ensemble = new RamEnsemble(short(SECOND)).advance(12);
    const replay = replayIncident(SECOND, ensemble, 50);
    if (!replay) throw new Error('no run of twelve was killed');
    const nearness = ensemble.runs.flatMap(({ kill }) =>
      kill ? [Math.abs(Math.log((kill.batch + 1) / 41))] : [],
    );
    expect(Math.abs(Math.log(((replay.crash.kill?.batch ?? 0) + 1) / 41))).toBe(Math.min(...nearness));
    expect(replay.of).toBe(12);
    expect(replay.killed).toBe(nearness.length);
    const view = crashView(SECOND, replay);
    expect(view.pictures.map(({ title }) => title)).toEqual([
      'Original: batch 32, 6 workers',
      'One worker: batch 4, 1 worker, same seed',
    ]);
    expect(view.pictures.map(({ kill }) => kill)).toEqual([replay.crash.kill, null]);
  });

  test('its claims stand beside predictions', () => {
    const { source, rows, explanation } = claimTable(SECOND, PRODUCTION_VRAM);
    expect(source).toBe('kernel log of 2026-03-02');
    expect(rows.map(({ config, batch, claimed, note }) => [config, batch, claimed.likely, note])).toEqual([
      ['configs/mine/fixed.yaml', 4, 2.5e9, 'of a guess'],
      ['configs/mine/crash.yaml', 32, 90e9, undefined],
    ]);
    // (90 − 2.5) GB over 28 windows.
    expect(explanation[0]).toContain('rise by 3125 MB per window');
  });

  test('its document tells of it and of nothing else', () => {
    const document = reviewDocument(reviewOf(SECOND, '2026-04-01'));
    for (const told of [
      '# After the crash of 2026-03-02',
      'The workstation trains without running out of memory.',
      'the run of `configs/mine/crash.yaml` (batch_size 32, num_workers 6) was killed after 40 batches on a Linux workstation with 16 GB of RAM',
      'Process: python (pid 4242), the main process',
      'Cause: six workers held long recordings at once',
      'Lost: the first epoch.',
      '| The GPU ran out of memory. | corrected | The RAM did. |',
      '| training.batch\\_size | 32 → 4',
      'crashes with 16 GB',
      '90 GB (assumed: kernel log of 2026-03-02)',
      'All recordings are on one disk (read).',
      '| Workstation | 10 | 2 h (measured: the log) | 20 (derived) |',
      '2 of 24 h',
      '| high | It happens again | open | – | Nobody tried. |',
      '[x] The log was read – verified: two people',
    ])
      expect(document.replaceAll('\\_', '_')).toContain(told.replaceAll('\\_', '_'));
    expect(document).not.toMatch(/2025-01-19|794619|127 batches|tusz_train|139\.75|22,093/);
    expect(document).not.toContain('Memory at the crash');
  });

  test('the page adds it to the document of other files made from its configuration', () => {
    const file = { name: 'a.yaml', text: TEXTS['configs/mine/fixed.yaml'], target: TARGETS.local };
    const request = {
      date: '2026-04-01',
      preparedBy: ' ',
      before: file,
      after: [file],
      smoke: [],
    };
    const input = reviewInput({ ...request, incident: SECOND });
    expect(input).toMatchObject({ incident: SECOND, before: file, after: [file], goal: SECOND.review.goal });
    // The incident's own, and that of the file.
    expect(input.costs).toHaveLength(3);
    expect(input.others).toBeUndefined();
    const elsewhere = [{ ...file, target: TARGETS.modal }];
    expect(reviewInput({ ...request, after: elsewhere, incident: SECOND }).goal).toBeUndefined();
    expect(reviewInput({ ...request, incident: undefined })).not.toHaveProperty('incident');
  });
});
