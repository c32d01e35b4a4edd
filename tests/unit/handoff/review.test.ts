import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SmokeEvidence } from '../../../src/handoff/evidence';
import { reviewDocument, type ReviewInput } from '../../../src/handoff/review';
import { reviewOf } from '../../../src/handoff/review/from_incident';
import { exactly, quantity } from '../../../src/base/quantity';
import { costTable, quotedCost } from '../../../src/handoff/review/cost';
import { smokeVerdict } from '../../../src/handoff/review/smoke';
import { INCIDENTS } from '../../../src/config/incidents';
import { TARGETS } from '../../../src/config/targets';

const read = (path: string): string =>
  readFileSync(join(import.meta.dirname, '../../../configs', path), 'utf8');

const INCIDENT = INCIDENTS[0];
const CASE = reviewOf(INCIDENT, '2026-11-25');
const DOCUMENT = reviewDocument(CASE);

const HEADS = [
  'Executive summary',
  'Previous issue',
  'Root cause',
  'Changes',
  'Comparison matrix',
  'Deployment',
  'Cost and time',
  'Risks',
  'Recommendations',
  'Commands',
  'Checklist',
] as const;
type Head = (typeof HEADS)[number];

const headsOf = (document: string): string[] =>
  [...document.matchAll(/^## (.*)$/gm)].map(([, head]) => head ?? '');

function sectionOf(document: string, head: Head): string {
  const start = document.indexOf(`\n## ${head}\n`);
  const end = document.indexOf('\n## ', start + 1);
  return document.slice(start, end < 0 ? undefined : end);
}

/** Lines of a section without Markdown’s escapes. */
const linesOf = (document: string, head: Head): string[] =>
  sectionOf(document, head)
    .replaceAll(/\\([^\w\s])/g, '$1')
    .split('\n');

/** Every fact: the section, and what stands together on one of its lines. */
type Fact = readonly [head: Head, ...parts: (string | RegExp)[]];

const FACTS: Readonly<Record<string, readonly Fact[]>> = {
  'what the review says of the crash': [
    ['Executive summary', 'killed after 127 batches', 'batch_size 16', 'num_workers 4'],
    ['Executive summary', 'WSL2 without running out of memory', 'A100 on Modal better'],
    ['Executive summary', 'configs/local/train.yaml', 'WSL2'],
    ['Executive summary', 'configs/modal/train_a100.yaml', 'A100'],
    ['Previous issue', '2025-01-19 16:43 UTC', '127 batches', 'batch_size 16', 'num_workers 4'],
    ['Previous issue', 'no checkpoint had been written'],
    ['Root cause', 'python (pid 794619)'],
    ['Root cause', '11.3 GB virtual'],
    ['Root cause', '31 GB of RAM', 'WSL2'],
    ['Root cause', 'DataLoader worker exited unexpectedly'],
    ['Root cause', 'batch_size 16', '512-dim Mamba', '~8 GB'],
    ['Root cause', 'num_workers 4', 'forking duplicates memory'],
    ['Root cause', 'No checkpoint', 'all progress was lost'],
  ],
  'what is true of the crash': [
    ['Root cause', 'out-of-memory killer', 'DataLoader worker', 'the host’s RAM', 'not the GPU’s memory'],
    ['Root cause', 'forces spawn', '148 to 181 MB', '11 MB'],
    ['Root cause', '67 windows', '75 MiB', '395 MiB', 'measured'],
    ['Root cause', '235.3 MiB', '117.9 MiB', '25.5 MiB', 'measured'],
    ['Root cause', 'half of the host’s RAM'],
  ],
  'the changes for WSL2': [
    ['Changes', 'training.batch_size', '16 → 8, 50 % less', 'a run of 16 was killed'],
    ['Changes', 'data.num_workers', '4 → 0', 'OOM-killed'],
    ['Changes', 'pin_memory and persistent_workers true → false', 'corrected', 'set neither'],
    ['Changes', 'checkpoint_interval 5', 'corrected', 'silently drops it'],
    ['Changes', 'training.mixed_precision', 'true → false', 'NaN'],
  ],
  'the changes for the A100': [
    ['Changes', 'training.batch_size', '16 → 64, 4× more'],
    ['Changes', 'num_workers 4 → 8 (2× more)', 'corrected', '16 workers', '8 cores'],
    ['Changes', 'data.data_dir', '→ /data/edf/train', 'S3 mount'],
    ['Changes', 'experiment.output_dir', '→ /results/tusz_a100_100ep', 'volume'],
    [
      'Changes',
      'gradient_accumulation_steps and compile_model',
      'corrected',
      'nothing is accumulated and nothing is compiled',
    ],
    [
      'Changes',
      'training.early_stopping.metric',
      'sensitivity_at_10fa → sensitivity_at_10.0fa',
      'read 0 every epoch',
    ],
    [
      'Changes',
      'configs/local/smoke.yaml and configs/modal/smoke_a100.yaml',
      'BGB_LIMIT_FILES=50',
      '“smoke”',
    ],
  ],
  'the matrix': [
    ['Comparison matrix', 'Purpose', 'Quick test', 'Original', 'Local safe', 'Cloud optimized', 'Legacy'],
    ['Comparison matrix', 'training.batch_size', '16', '16 → 8', '16 → 64'],
    ['Comparison matrix', 'data.num_workers', '4 → 0', '4 → 8, 2× more'],
    ['Comparison matrix', 'training.epochs', '100 → 1', '100 → 60'],
    ['Comparison matrix', 'data.pin_memory', /false\)? → true/],
    ['Comparison matrix', 'data.persistent_workers', /false\)? → true/],
    ['Comparison matrix', 'training.mixed_precision', 'true'],
    ['Comparison matrix', 'Predicted memory', /11 GB.*6 GB.*40 GB.*4 GB.*40 GB/, 'assumed'],
    [
      'Comparison matrix',
      'Environment',
      /crashes under WSL2.*safe under WSL2.*Linux or Modal.*runs anywhere.*Linux only/,
    ],
    ['Comparison matrix', 'Issues', /\d critical, \d high/, 'before launch'],
  ],
  'the deployment': [
    ['Deployment', 'default examples use smoke configs', 'tusz_train_a100.yaml'],
    ['Deployment', 'NVIDIA CUDA 12.1 devel', 'Mamba'],
    ['Deployment', 'A100-80GB', '40 GB'],
    ['Deployment', '32 GiB', '8 cores', 'requests, not caps'],
    ['Deployment', 'S3 mount', '/results'],
    ['Deployment', 'BGB_LIMIT_FILES', 'smoke runs alone', 'holds'],
    ['Deployment', '2 h to 30 h', 'corrected', '30 h is rejected', '24 h (86,400 s)', 'maximum'],
    ['Deployment', '--resume true', 'corrected', 'flag', 'last.pt'],
    ['Deployment', 'default would be 300 s'],
    ['Deployment', 'restarts with the same arguments'],
    ['Deployment', 'only the last part of', 'experiment.output_dir'],
    ['Deployment', 'convolution fallback instead of Mamba-2 in training, and not in evaluation'],
    ['Deployment', 'aws-s3-secret and wandb-secret'],
    ['Deployment', '22,093 files, 84.6 GB'],
    ['Deployment', '3,734 EDF', '252,089', '51,901'],
    ['Deployment', '49,760 windows', '778 batches of 64'],
    ['Deployment', '18:45 UTC'],
  ],
  'cost and time': [
    ['Cost and time', 'Local', '0.75 h', '75 (assumed)', '$0.00', 'assumed', 'owned hardware'],
    ['Cost and time', '~45 min', '75 h', '$0'],
    ['Cost and time', '~15 min', '3× faster', '25 h'],
    ['Cost and time', 'Modal', '0.25 h', '25.25 (assumed)', '$5.59', '$141.15', '$139.75', '$70 to $100'],
    ['Cost and time', '$3.13', '$78.25', 'GPU $2.50 + 8 cores × $0.047 + 32 GiB × $0.008', '2026-07-01'],
    ['Cost and time', '25 h do not fit one job of 24 h'],
    ['Cost and time', '2 to 3 h', 'about 1 h', 'later runs'],
    ['Cost and time', '2.5 h (2 to 3;', '250 (200 to 300)'],
    ['Cost and time', '1 h', '104 (assumed)', '$325.52', '100 h and $313.00', '5 of 24 h'],
    ['Cost and time', '139.75', '2 of 24 h; 1 epoch is re-trained'],
    ['Deployment', 'A100-40GB $2.10', 'L40S $1.95', 'H100 $3.95'],
  ],
  'the risks': [
    ['Risks', 'BGB_LIMIT_FILES is conditional', 'holds', 'file’s name'],
    ['Risks', '--checkpoint', 'corrected', '--resume'],
    ['Risks', 'timeout is 30 h', 'corrected', '24 h'],
    ['Risks', 'high', 'Local training: out-of-memory crashes, lost progress', 'fixed'],
    ['Risks', 'medium', 'No distributed training', 'potential'],
    ['Risks', 'medium', 'No gradient checkpointing', 'larger batches'],
    ['Risks', 'medium', 'No W&B', 'not wired'],
    ['Risks', 'low', 'No torch.compile', '10–20 %', 'estimate'],
    ['Risks', 'low', 'Fixed learning rate', '6.0e-4', '1.2e-3'],
    ['Risks', 'critical', 'fa-rate-key', 'fixed', 'read 0 every epoch'],
    ['Risks', 'medium', 'every-launch', 'open: before launch', 'at most one patient is on both sides'],
    ['Risks', 'critical', 'modal-fallback', 'open: before launch'],
    ['Risks', 'medium', 'every-launch', 'open: before launch', 'epoch 0'],
    ['Risks', 'high', 'time-limit', '33 jobs'],
    ['Risks', 'high', 'validation-ram', 'fixed', '65.6 GiB'],
    ['Risks', 'medium', 'every-launch', 'wandb-secret'],
    ['Risks', 'medium', 'wsl2-workers', 'fixed'],
  ],
  'the recommendations': [
    ['Recommendations', 'one batch', 'BGB_LIMIT_FILES=2', 'timeout 60', 'corrected', '124 says nothing'],
    ['Recommendations', 'line 112', 'corrected', 'unsets the limit'],
    ['Recommendations', 'torch.load', 'corrected', '--resume'],
    ['Recommendations', 'counts of scan-cache'],
    ['Recommendations', 'convolution fallback'],
    ['Recommendations', 'Back up best.pt'],
  ],
  'the commands': [
    ['Commands', 'python -m src train configs/local/train.yaml'],
    ['Commands', /^timeout \d+ python -m src train configs\/local\/smoke\.yaml$/],
    [
      'Commands',
      'modal run --detach deploy/modal/app.py --action train --config configs/modal/train_a100.yaml --resume',
    ],
    ['Commands', '--detach must come before the file'],
    ['Commands', 'must go before the script', 'holds'],
    ['Commands', 'modal run deploy/modal/app.py --action train --config configs/modal/smoke_a100.yaml'],
    ['Commands', '“--resume true” is rejected'],
    ['Commands', 'modal secret create wandb-secret'],
    ['Commands', 'modal app logs -f'],
    ['Commands', 'modal volume get brain-go-brr-results tusz_a100_100ep'],
  ],
  'the checklist': [
    ['Checklist', '[x]', 'configs/local/train.yaml', 'no critical or high issue'],
    ['Checklist', '[x]', 'configs/modal/train_a100.yaml', 'no critical or high issue'],
    ['Checklist', '[ ]', 'memory is measured', 'not verified'],
    ['Checklist', 'Memory calculations validated', 'open', 'estimates'],
    ['Checklist', '[ ]', 'Cost approved', '$140'],
    ['Checklist', '[ ]', 'Cost approved', '$141.15', '$79.03', '$325.52'],
    ['Checklist', '[x]', 'BGB_LIMIT_FILES', 'smoke runs alone', '--resume'],
    ['Checklist', '[x]', '22,093 files, 84.6 GB'],
    ['Checklist', '[ ]', 'aws-s3-secret'],
    ['Checklist', '[ ]', 'wandb-secret'],
    ['Checklist', '[ ]', 'The manifest holds seizures'],
    ['Checklist', 'ready for review', 'corrected'],
  ],
};

test('the sections stand in the order of the review', () => {
  expect(headsOf(DOCUMENT)).toEqual(HEADS);
});

describe.each(Object.entries(FACTS))('the review’s own case has %s', (_, facts) => {
  test.each(facts.map((fact) => [fact.join(' | '), fact] as const))('%s', (_name, [head, ...parts]) => {
    const found = linesOf(DOCUMENT, head).some((line) =>
      parts.every((part) => (typeof part === 'string' ? line.includes(part) : part.test(line))),
    );
    expect(found ? 'there' : sectionOf(DOCUMENT, head)).toBe('there');
  });
});

test('no sentence of the review that is wrong is left to stand', () => {
  const own = DOCUMENT.split('\n').filter((line) => !/\| (?:corrected|open|holds) \|/.test(line));
  const text = own.join('\n');
  expect(text).not.toMatch(/--resume true(?!” is rejected)/);
  expect(text).not.toMatch(/30 h\b/);
  expect(text).not.toMatch(/READY|ALL CRITICAL|✅/);
  expect(text).not.toMatch(/\p{Emoji_Presentation}/u);
});

test('tables keep their columns, code its fences', () => {
  let columns = 0;
  for (const line of DOCUMENT.split('\n')) {
    const cells = line.startsWith('|') ? line.split(/(?<!\\)\|/).length : 0;
    if (cells > 0 && columns > 0) expect(`${cells} ${line}`).toBe(`${columns} ${line}`);
    columns = cells;
  }
  expect(DOCUMENT.match(/^```/gm)?.length).toBe(2 * (DOCUMENT.match(/^```bash$/gm)?.length ?? 0));
});

const before = { name: 'configs/a.yaml', text: read('review/tusz_train.yaml'), target: TARGETS.wsl2 };
const MINE: ReviewInput = {
  date: '2026-01-02',
  before,
  after: [{ name: 'configs/b.yaml', text: read('local/train.yaml'), target: TARGETS.wsl2 }],
};
const SMOKE: SmokeEvidence = {
  date: '2026-01-01',
  device: 'Apple M2, WebGPU',
  config: 'configs/b.yaml',
  steps: 200,
  secondsPerStep: 0.4321,
  losses: Array.from({ length: 200 }, (_, i) => 0.7 - i / 1000),
  auroc: 0.81,
  limits: 'synthetic recordings',
};

describe('a document of one’s own', () => {
  const document = reviewDocument(MINE);

  test('says what there is none of', () => {
    expect(headsOf(document)).toEqual(HEADS);
    expect(sectionOf(document, 'Previous issue')).toContain('There is none');
    expect(sectionOf(document, 'Root cause')).toContain('no incident');
    expect(sectionOf(document, 'Cost and time')).toContain('no cost is computed');
    expect(document).toContain('No smoke run was made.');
    expect(sectionOf(document, 'Comparison matrix')).toContain('Predicted memory');
    expect(document).not.toMatch(/794619|127 batches of|\$\d|22,093|Modal has the secret/);
  });

  test('says what a smoke run showed', () => {
    const tried = reviewDocument({ ...MINE, smoke: [SMOKE] });
    const evidence =
      '2026-01-01, Apple M2, WebGPU: 200 steps of 0.432 s (measured), loss 0.69 → 0.51 (means of the first and last 20 steps), AUROC 0.810; synthetic recordings.';
    expect(tried).toContain(evidence);
    expect(sectionOf(tried, 'Checklist')).toContain(
      `[x] configs/b.yaml: a smoke run trained – verified: ${evidence}`,
    );
    expect(sectionOf(document, 'Checklist')).toContain('[ ] configs/b.yaml: a smoke run trained');
  });

  test('is not ready while the file has what can be fixed', () => {
    const bad = reviewDocument({ ...MINE, after: [{ ...before, name: 'configs/c.yaml' }] });
    expect(bad).toMatch(/State: not ready, 2 critical or high issues/);
    expect(sectionOf(bad, 'Changes')).toContain('No setting differs.');
    expect(sectionOf(bad, 'Recommendations')).toContain(
      'Fix `configs/c.yaml`: training.early_stopping.metric',
    );
    expect(sectionOf(bad, 'Checklist')).toContain(
      '[ ] configs/c.yaml: no critical or high issue is left to fix',
    );
  });

  test('is rejected for a file that cannot be read', () => {
    expect(() => reviewDocument({ ...MINE, before: { ...before, text: 'a: [' } })).toThrow(
      /configs\/a\.yaml cannot be reviewed, because it cannot be read.*Fix the file first/,
    );
  });

  test('takes names for names', () => {
    const name = 'configs/`x`|<b>*y*.yaml';
    const nasty = reviewDocument({ ...MINE, title: '# <i>A*b*', after: [{ ...before, name }] });
    expect(nasty).toContain('# \\# \\<i>A\\*b\\*');
    expect(nasty).toContain('``configs/`x`|<b>*y*.yaml``');
    expect(headsOf(nasty)).toEqual(HEADS);
  });

  test('is made of files whose values cannot be changed on their own, too', () => {
    const text = `? training\n${before.text.replace('training:', 'other:')}`;
    expect(sectionOf(reviewDocument({ ...MINE, before: { ...before, text } }), 'Changes')).toContain(
      '| data.num_workers | 4 → 0 | loaders hung or were OOM-killed with this under WSL2',
    );
  });

  test('gives no reason that is for another value', () => {
    const after = [
      { ...before, name: 'configs/d.yaml', text: before.text.replace('batch_size: 16', 'batch_size: 32') },
    ];
    expect(sectionOf(reviewDocument({ ...MINE, after }), 'Changes')).toContain(
      '| training.batch_size | 16 → 32, 2× more | a choice: no rule requires it |',
    );
  });
});

describe('a smoke run', () => {
  test.each<[string, Partial<SmokeEvidence>, boolean, RegExp]>([
    ['whose loss falls is sound', {}, true, /0\.69 → 0\.51/],
    ['whose loss rises is not', { losses: [0.5, 0.6] }, false, /0\.5 → 0\.6/],
    ['whose loss is NaN is not', { losses: [0.5, NaN, 0.1] }, false, /not finite at step 2/],
    ['without losses is not', { losses: [] }, false, /no loss was recorded/],
    [
      'that collapsed says so',
      { auroc: 0.5 },
      true,
      /AUROC 0\.500, below 0\.55, where the trainer stops a run/,
    ],
  ])('%s', (_, more, sound, text) => {
    const found = smokeVerdict({ ...SMOKE, ...more });
    expect(found.sound).toBe(sound);
    expect(found.text).toMatch(text);
  });

  test('that validated nothing says so', () => {
    const { auroc: _, ...rest } = SMOKE;
    expect(smokeVerdict(rest).text).toContain('nothing was validated');
  });
});

describe('stated hours and rates', () => {
  const stated = {
    title: 'Rented',
    place: 'modal',
    epochs: 10,
    hoursPerEpoch: quantity([4, 5, 6], 'measured', 'a log'),
    dollarsPerHour: quantity([3, 4, 5], 'derived', 'a list'),
  } as const;

  test('are costed as a prediction is, and as the document counts', () => {
    // Of 5 h, four epochs fit a job: 1–4, 4–7, 7–10; two jobs end in an interrupted epoch of 4 h.
    const { jobs, hours, dollars, quoted } = quotedCost(stated);
    expect(jobs).toMatchObject({ count: 3, repeated: 10, lost: 8 });
    expect(hours).toMatchObject({ likely: 68, basis: 'derived' });
    expect(dollars).toMatchObject({ likely: 272, basis: 'derived' });
    expect(quoted).toEqual({ hours: 50, dollars: 200 });
    expect(costTable([quotedCost(stated)])).toContain(
      '3 of 24 h; 2 epochs are re-trained; without, 50 h and $200.00',
    );
  });

  test('without end are said to be so', () => {
    const table = costTable([quotedCost({ ...stated, hoursPerEpoch: exactly(20, 'assumed', 'a guess') })]);
    expect(table).toContain('| no end (assumed) |');
    expect(table).toContain('never completes in jobs of 24 h');
  });

  test('at one’s own machine have no limit', () => {
    const { jobs, hours } = quotedCost({ ...stated, place: 'local' });
    expect([jobs?.count, hours.low, hours.likely, hours.high]).toEqual([1, 40, 50, 60]);
  });
});

test('the incident is data with a source', () => {
  expect(INCIDENT.source).toBe('review of 2025-01-19');
  const { incident: _, ...without } = CASE;
  expect(sectionOf(reviewDocument(without), 'Previous issue')).toContain('There is none');
});
