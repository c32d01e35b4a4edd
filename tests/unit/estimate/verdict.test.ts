/** The commands, the pages, the rules and the review give one answer on whether a run fits. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { inspect } from '../../../src/app/pages/config/inspection';
import { ramAnswer, predictionOf } from '../../../src/app/pages/fit/prediction';
import { readFile, settingsOf } from '../../../src/app/pages/fit/settings';
import { main as estimate } from '../../../src/cli/estimate';
import { main as validate } from '../../../src/cli/validate';
import { applyChanges } from '../../../src/config/edit';
import { launchFit, type Issue } from '../../../src/config/issues';
import { GPUS } from '../../../src/config/gpus';
import { PRESETS } from '../../../src/config/presets';
import { MACHINES, type Platform } from '../../../src/config/targets';
import type { Fit, Remedy, Verdict } from '../../../src/config/verdict';
import { reviewInput } from '../../../src/app/pages/config/reviewing';
import { compare } from '../../../src/handoff/matrix';
import { reviewDocument } from '../../../src/handoff/review';
import { commandsFor } from '../../../src/handoff/commands';
import { verdictFor } from '../../../src/estimate/forecast';
import { ramOptions } from '../../../src/estimate/from_config';
import { RamEnsemble } from '../../../src/estimate/oom_odds';
import { RAM_RUNS } from '../../../src/estimate/ram_predict';
import { ramPlanOf, type Plan } from '../../../src/estimate/scenario';
import { FULL } from '../../full';

const folder = mkdtempSync(join(tmpdir(), 'smokescan-verdict-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a command prints as JSON. */
async function printed(main: (args: string[]) => Promise<number>, ...args: string[]): Promise<unknown> {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  try {
    await main([...args, '--json']);
    return JSON.parse(log.mock.calls.join('\n'));
  } finally {
    log.mockRestore();
  }
}

interface Estimated {
  readonly fit: Fit;
  readonly vram: { readonly fit: Fit; readonly total: unknown };
  readonly ram: { readonly fit: Fit; readonly training: unknown; readonly validation: unknown };
  readonly hoursPerEpoch: unknown;
  readonly costs: readonly {
    readonly stop: { readonly id: string };
    readonly jobs: { readonly count: number } | null;
    readonly hours: { readonly likely: number | null };
    readonly dollars?: { readonly likely: number | null } | null | undefined;
  }[];
  readonly remedies: readonly Remedy[];
}

interface Case {
  readonly name: string;
  readonly text: string;
  readonly platform: Platform;
}

const ORIGINAL = PRESETS.find(({ name }) => name === 'configs/review/tusz_train.yaml')?.text ?? '';
const changed = (index: number, platform: Platform, changes: Readonly<Record<string, string>>): Case => ({
  name: `configs/${platform}/case${index}.yaml`,
  platform,
  text: applyChanges(
    ORIGINAL,
    Object.entries(changes).map(([path, value]) => ({ path, value, reason: '' })),
  ),
});

const GENERATED = [1, 16, 64, 256].flatMap((batch, i) =>
  (['local', 'wsl2', 'modal'] as const).map((platform, j) =>
    changed(3 * i + j, platform, {
      'training.batch_size': String(batch),
      'data.num_workers': String((2 * i + 3 * j) % 8),
      'data.validation_split': String([0.02, 0.08, 0.2, 0][(i + j) % 4]),
      'training.epochs': String([1, 20, 25, 100][i]),
      'model.mamba.conv_kernel': '3',
    }),
  ),
);

const CASES: readonly Case[] = [
  ...PRESETS.map(({ name, text, target }) => ({ name, text, platform: target as Platform })),
  // Every batch size and every platform is in the third, too.
  ...GENERATED.filter((_, i) => FULL || i % 3 === Math.floor(i / 3) % 3),
];

/** How a number of jobs is said. */
const jobsIn = ({ jobs }: Verdict): string =>
  jobs ? `takes ${jobs.count} jobs` : 'no number of jobs completes the run';

describe.each(CASES.map((one) => [`${one.name} on ${one.platform}`, one] as const))('%s', (_, one) => {
  const { name, text, platform } = one;
  const machine = MACHINES[platform];
  const verdict = verdictFor(text, name, machine);
  const file = join(folder, name.replaceAll('/', '-'));
  writeFileSync(file, text);

  test('has one verdict', async () => {
    if (!verdict) {
      // No model can be made of it.
      expect(await estimate([file, '--target', platform])).toBe(2);
      return;
    }
    const { gpu, ram, epoch, jobs, remedies, fit } = verdict;
    const estimated = (await printed(estimate, file, '--target', platform)) as Estimated;
    expect(estimated).toMatchObject({
      fit,
      vram: { fit: gpu.fit, total: gpu.need },
      ram: { fit: ram.fit, training: ram.training.need, validation: ram.validation.need },
      hoursPerEpoch: epoch,
      remedies,
    });
    const counted = (costs: Estimated['costs']) => costs.find(({ stop }) => stop.id === 'all')?.jobs?.count;
    expect(counted(estimated.costs)).toBe(jobs?.count);

    const plan: Plan = { settings: settingsOf(readFile(text, name, platform)), machine };
    const predicted = predictionOf(plan, { hours: Infinity, dollars: Infinity });
    expect(counted(predicted.costs.map((one) => ({ ...one, jobs: one.jobs ?? null })))).toBe(jobs?.count);
    expect(predicted).toMatchObject({
      gpuFit: gpu.fit,
      vram: { total: gpu.need },
      epoch,
      hours: verdict.time,
      dollars: verdict.cost,
    });
    const ensemble = new RamEnsemble(ramOptions(ramPlanOf(plan))).advance(RAM_RUNS);
    expect(ramAnswer(plan, ensemble, RAM_RUNS)).toMatchObject({
      fits: ram.fit,
      training: ram.training.need,
      validation: ram.validation.need,
    });
  });

  test('has the issues that follow from it, in the terminal and on the page', async () => {
    if (!verdict) return;
    const told = (await printed(validate, file, '--target', platform)) as Issue[];
    const [shown] = inspect([{ text, name, target: machine }]);
    for (const issues of [told, shown?.issues ?? []]) {
      const severityOf = (id: string) => issues.find((issue) => issue.id === id)?.severity;
      const expected = (fit: Fit) => ({ fits: undefined, borderline: 'medium', "won't fit": 'high' })[fit];
      expect(severityOf('vram')).toBe(expected(verdict.gpu.fit));
      expect(severityOf('host-ram')).toBe(expected(verdict.ram.training.fit));
      expect(severityOf('validation-ram')).toBe(expected(verdict.ram.validation.fit));
      if (verdict.fit === "won't fit") expect(launchFit(issues)).toBe("won't fit");
      if (platform === 'modal') {
        const [ended, never] = [severityOf('time-limit'), severityOf('never-completes')];
        expect([ended !== undefined, never !== undefined]).toEqual([
          (verdict.jobs?.count ?? 0) > 1,
          !verdict.jobs,
        ]);
        const said = issues.find(({ id }) => id === 'time-limit' || id === 'never-completes')?.message;
        if (said) expect(said).toContain(jobsIn(verdict));
      }
    }
    const loading = verdict.remedies.find(({ change }) => change === 'loading')?.value;
    const faster = told.find(({ id }) => id === 'slow-loading' || id === 'never-completes')?.fix?.[0];
    if (faster?.path === 'data.num_workers') expect(faster.value).toBe(String(loading));
    else if (verdict.jobs) expect(loading).toBeUndefined();
    const split = verdict.remedies.find(({ change }) => change === 'split')?.value;
    const fix = told.find(({ id }) => id === 'validation-ram' || id === 'no-validation')?.fix;
    if (split !== undefined && fix) expect(fix[0]?.value).toBe(String(split));
  });

  test('is what the comparison and the commands say', () => {
    if (!verdict) return;
    const column = compare([{ name, text, target: machine }]);
    const gib = String(Number((verdict.gpu.need.likely / 2 ** 30).toPrecision(3)));
    expect(column.rows.find(({ kind }) => kind === 'memory')?.cells[0]?.text).toContain(
      `GPU ${verdict.gpu.fit}: ${gib} GiB`,
    );
    const resume = commandsFor({ name, text, target: machine }).find(({ id }) => id === 'resume')?.purpose;
    if (platform === 'modal' && resume && verdict.jobs?.count !== 1)
      expect(resume).toContain(verdict.jobs ? jobsIn(verdict).replace('takes', 'take') : jobsIn(verdict));
  });

  test('is what the review says, with the hours, dollars and jobs of the estimate', async () => {
    if (!verdict) return;
    const compared = { name, text, target: machine };
    const asked = { date: '2026-11-30', preparedBy: '', before: compared, after: [compared] };
    const said = reviewDocument(reviewInput({ ...asked, incident: undefined, smoke: [] }));
    const row = said.split('\n').find((line) => line.startsWith(`| ${name} on ${machine.title} |`)) ?? '';
    expect(row).toContain(`${Number(verdict.epoch.likely.toPrecision(3))} h`);
    const estimated = (await printed(estimate, file, '--target', platform)) as Estimated;
    const all = estimated.costs.find(({ stop }) => stop.id === 'all');
    // JSON has null for what is without end.
    const shown = (value: number | null | undefined, say: (value: number) => string): string =>
      value === null || value === undefined ? 'no end' : say(value);
    const cells = row.split(' | ');
    expect(cells[3]).toMatch(
      new RegExp(`^${shown(all?.hours.likely, (value) => String(Number(value.toPrecision(4))))} \\(`),
    );
    expect(cells[5]?.replaceAll('\\', '')).toContain(
      shown(all?.dollars?.likely, (value) => `$${value.toFixed(2)} (`),
    );
    const { count } = verdict.jobs ?? {};
    const jobs =
      platform !== 'modal'
        ? 'no limit'
        : count === undefined
          ? 'never completes in jobs of 24 h'
          : count === 1
            ? '1'
            : `${count} of 24 h`;
    expect(cells[6]).toContain(jobs);
    const risk = said.split('\n').find((line) => line.includes('time-limit: '));
    if (risk) expect(risk).toContain(jobsIn(verdict));
  });
});

describe('memory that a run does not have', () => {
  const SAFE = { 'data.num_workers': '0', 'data.validation_split': '0.02', 'model.mamba.conv_kernel': '3' };
  const MUCH = { ...SAFE, 'data.validation_split': '0.2' };
  const few = { ...SAFE, 'training.early_stopping.metric': 'auroc' };
  test.each<[string, Platform, string[], Readonly<Record<string, string>>, Fit, number]>([
    [
      'of the GPU, on one’s own machine',
      'local',
      ['--gpu', 't4'],
      { ...few, 'training.batch_size': '256' },
      "won't fit",
      1,
    ],
    [
      'of the GPU, on Modal',
      'modal',
      ['--gpu', 't4'],
      { ...few, 'training.batch_size': '256' },
      "won't fit",
      1,
    ],
    ['system RAM, on one’s own machine', 'local', ['--ram', '32'], { ...few, ...MUCH }, "won't fit", 1],
    [
      'asked of Modal, which is no limit',
      'modal',
      ['--ram', '32'],
      { ...few, ...MUCH, 'data.num_workers': '8' },
      'borderline',
      0,
    ],
  ])('%s, is judged alike by every command and page', async (_, platform, given, changes, fit, code) => {
    const { name, text } = changed(99, platform, {
      'training.learning_rate': '1.0e-4',
      'training.mixed_precision': platform === 'modal' ? 'true' : 'false',
      'training.epochs': '1',
      'data.data_dir': '/data/edf/train',
      'data.cache_dir': '/results/cache',
      'experiment.cache_dir': '/results/cache',
      ...changes,
    });
    const file = join(folder, name.replaceAll('/', '-'));
    writeFileSync(file, text);
    const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
    const codes = [
      await validate([file, '--target', platform, ...given]),
      await estimate([file, '--target', platform, ...given]),
    ];
    const said = log.mock.calls.join('\n');
    log.mockRestore();
    expect(codes, said).toEqual([code, code === 1 ? 3 : 0]);
    const usual = MACHINES[platform];
    const [, value = ''] = given;
    const machine = given[0] === '--gpu' ? { ...usual, gpu: GPUS.t4 } : { ...usual, ramGiB: Number(value) };
    const verdict = verdictFor(text, name, machine);
    expect(verdict?.fit).toBe(fit);
    const [shown] = inspect([{ text, name, target: machine }]);
    expect(launchFit(shown?.issues ?? []) === "won't fit").toBe(code === 1);
    const plan: Plan = { settings: settingsOf(readFile(text, name, platform)), machine };
    const ensemble = new RamEnsemble(ramOptions(ramPlanOf(plan))).advance(RAM_RUNS);
    expect([
      predictionOf(plan, { hours: Infinity, dollars: Infinity }).gpuFit,
      ramAnswer(plan, ensemble, RAM_RUNS).fits,
    ]).toEqual([verdict?.gpu.fit, verdict?.ram.fit]);
    const compared = { name, text, target: machine };
    const document = reviewDocument({ date: '2026-11-30', before: compared, after: [compared] });
    expect(document.includes('State: not ready')).toBe(code === 1);
  });

  test('and that a comment says is there after all, stops neither command', async () => {
    const { name, text } = changed(98, 'local', {
      ...few,
      'training.batch_size': '256',
      'training.mixed_precision': 'false',
      'training.learning_rate': '1.0e-4',
    });
    const file = join(folder, name.replaceAll('/', '-'));
    writeFileSync(file, `# smokescan: ignore-file vram – measured\n${text}`);
    const quiet = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')].map((one) =>
      one.mockReturnValue(undefined),
    );
    const given = [file, '--target', 'local'];
    const codes = [await validate(given), await estimate(given)];
    for (const one of quiet) one.mockRestore();
    expect(verdictFor(text, name, MACHINES.local)?.gpu.fit).toBe("won't fit");
    expect(codes).toEqual([0, 0]);
  });
});
