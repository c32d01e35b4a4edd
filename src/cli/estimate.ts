/** `npx smokescan estimate`: whether a configuration fits a machine, how long it takes and what it costs, in a terminal. */
import { GIB } from '../base/units';
import { inLine, messageOf, several } from '../base/text';
import { choice, flag, number, runCommand } from './command_line';
import { complain, print } from './print';
import { aligned } from '../base/table';
import { machineOptions, pathBelow, targetFrom } from './machine';
import { readConfigText } from './config_text';
import { MODAL } from '../config/facts';
import { exactly, type Quantity } from '../base/quantity';
import { CACHES, type Cache } from '../estimate/epoch_windows';
import { forecast, planFor, type Forecast } from '../estimate/forecast';
import { CURRENT_CARD, unpriced } from '../estimate/rates';
import type { Plan } from '../estimate/scenario';
import { failing, inspect, isForeign, launchFit, sentence, type Issue } from '../config/issues';
import { readConfig } from '../config/settings';
import { MACHINE_BOUNDS, PLATFORMS, type Machine } from '../config/targets';
import type { Fit, Remedy } from '../config/verdict';

/** Forty times as many as the corpus has. */
const MAX_WINDOWS = 1e7;
/** Dollars an hour; no machine with one GPU costs as much. */
const MAX_RATE = 1000;

const COMMAND = {
  name: 'estimate',
  takes: ['CONFIG'],
  about: `Predicts GPU memory, system RAM, hours and dollars of a run's configuration (YAML), each with its range and whether
it was measured, derived or assumed; and what would fit where the run does not.`,
  options: {
    ...machineOptions(PLATFORMS),
    windows: number('N', 'windows of a training epoch; left out: the corpus’s', {
      whole: true,
      max: MAX_WINDOWS,
    }),
    cache: choice(
      CACHES,
      'what the run finds: built, by build-cache with its manifest, or none, so that the trainer preprocesses the recordings and, without a manifest, falls back to all windows; left out: none for a smoke run on Modal, built elsewhere, as the commands of the page leave it',
    ),
    'hours-per-epoch': number(
      'H',
      'as measured on this machine; left out: predicted, with what is reported of later runs as its low end',
      MACHINE_BOUNDS.hoursPerEpoch,
    ),
    rate: number('DOLLARS', `for an hour; left out: the price list of ${CURRENT_CARD.read}, or electricity`, {
      max: MAX_RATE,
    }),
    json: flag('everything as one JSON object; a number without end is null'),
  },
  notes: `Exit code 0 where the run fits or is borderline; 1 for a file that cannot be read; 3 where validate would exit with 1, as
where it won't fit or no number of jobs completes it, unless a comment of the file silences that; 4 where nothing can be
predicted of a run that validate accepts, as with device cpu or mps; 2 for wrong arguments. It fits where the high ends of all
predictions do and at most 5 % of the simulated runs are OOM-killed; it is borderline where only the likely values do, and
where it needs more system RAM than is asked of Modal, which is no limit. The first line, and "fit" in the JSON, say which.`,
};

interface Asked {
  readonly file: string;
  /** Below its repository. */
  readonly path: string;
  readonly machine: Machine;
  readonly windows: number | undefined;
  readonly cache: Cache | undefined;
  readonly rate: number | undefined;
  readonly json: boolean;
}

/** Command `estimate`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, ({ given: [file = ''], values }) => {
    const path = pathBelow(file, values.root);
    const usual = targetFrom(values, path);
    if (usual.name === 'browser') throw new RangeError('the page plans what runs in a browser');
    const hours = values['hours-per-epoch'];
    return estimate({
      file,
      path,
      machine: {
        ...usual,
        hoursPerEpoch: hours === undefined ? undefined : exactly(hours, 'measured', '--hours-per-epoch'),
      },
      windows: values.windows,
      cache: values.cache,
      rate: values.rate,
      json: values.json,
    });
  });

async function estimate(asked: Asked): Promise<number> {
  const { path: name, machine: target } = asked;
  let text: string | undefined;
  let plan: Plan;
  try {
    text = await readConfigText(asked.file);
    plan = planOf(asked, text);
  } catch (error) {
    if (text === undefined) {
      complain(messageOf(error));
      return 1;
    }
    const failed = inspect(text, { name, target }).issues.filter(failing);
    if (asked.json)
      print(JSON.stringify({ ...headOf(asked, failed), fit: null, unpredicted: messageOf(error) }, null, 2));
    complain(`${inLine(asked.file)} cannot be estimated: ${messageOf(error)}`);
    return failed.length > 0 ? 3 : 4;
  }
  const found = forecast(plan);
  const { issues, silenced } = inspect(text, { name, target, verdict: found.verdict });
  const failed = issues.filter(failing);
  if (asked.json) print(JSON.stringify(asJson(asked, found, failed), null, 2));
  else print(asText(asked, found, failed));
  if (silenced.length > 0) complain(`${several(silenced.length, 'issue')} silenced by comments`);
  return launchFit(issues) === "won't fit" ? 3 : 0;
}

/** Throws an Error with a sentence for a file that the trainer rejects, or that no run can be. */
function planOf({ path, machine, windows, cache, rate }: Asked, text: string): Plan {
  const file = readConfig(text);
  const { errors, settings: given } = file;
  if (isForeign(file)) throw new Error('it is no configuration of the trainer');
  if (errors[0]) throw new Error(`line ${errors[0].place.line}: ${errors[0].message}`);
  const [invalid] = given.rejected;
  if (invalid)
    throw new Error(
      `the trainer rejects it: ${invalid.path || 'the file'} ${invalid.problem ?? ''}; see validate`,
    );
  const plan = planFor(given, path, machine, cache);
  const { settings } = plan;
  const { about: _, ...read } = settings.windows;
  return {
    ...plan,
    ...(windows !== undefined && { settings: { ...settings, windows: { ...read, training: windows } } }),
    ...(rate !== undefined && { rate: exactly(rate, 'measured', '--rate') }),
  };
}

const REMEDIES: Readonly<Record<Remedy['change'], (value: Remedy['value']) => string>> = {
  batch: (value) => `training.batch_size: ${value}, for the GPU`,
  layers: (value) => `model.mamba.n_layers: ${value}, for the GPU`,
  workers: (value) => `data.num_workers: ${value}, for training in this system RAM`,
  'ram-batch': (value) => `training.batch_size: ${value}, for training in this system RAM`,
  split: (value) => `data.validation_split: ${value}, for validation in this system RAM`,
  loading: (value) => `data.num_workers: ${value}`,
  precision: (value) => `training.mixed_precision: ${value}, with which the run completes`,
  'faster-gpu': (value) => `--gpu ${value}, with which the run completes`,
  gpu: (value) => `--gpu ${value}, the smallest GPU that holds it`,
  ram: (value) => `--ram ${value}, for training and validation`,
};

/** With what an epoch then takes, where that is known. */
const inWords = (remedy: Remedy): string =>
  `${REMEDIES[remedy.change](remedy.value)}${remedy.change === 'loading' ? `: an epoch then takes about ${SHOW.h(remedy.hours)}, because the GPU waits for its loader now` : ''}`;

interface Row {
  readonly what: string;
  readonly value: Quantity;
  readonly unit: 'GiB' | 'h' | '$';
  /** What there is of it. */
  readonly of?: string;
}

/** A unit's amounts as numbers: GiB of bytes, the rest as they are. */
const SHOW: Readonly<Record<Row['unit'], (value: number) => string>> = {
  GiB: (value) => `${(value / GIB).toFixed(1)} GiB`,
  h: (value) => (Number.isFinite(value) ? `${value.toFixed(value < 10 ? 2 : 0)} h` : 'no end'),
  $: (value) => (Number.isFinite(value) ? `$${value.toFixed(2)}` : 'no end'),
};

function rowsOf({ plan, verdict, vram, ram, statistics, loading, validation, costs }: Forecast): Row[] {
  const { gpu } = plan.machine;
  // Hours that are given have no parts.
  const part = plan.machine.hoursPerEpoch ? 'predicted, not used: ' : '';
  const cost = (id: 'earliest' | 'likely' | 'all') => costs.find(({ stop }) => stop.id === id);
  const [likely, all] = [cost('likely'), cost('all')];
  const money = (what: string, value: Quantity | undefined): Row[] =>
    value ? [{ what, value, unit: '$' }] : [];
  return [
    {
      what: 'GPU memory',
      value: vram.total,
      unit: 'GiB',
      of: `${SHOW.GiB(gpu.memoryBytes)} of ${gpu.name}`,
    },
    { what: 'system RAM, training', value: ram.training, unit: 'GiB', of: SHOW.GiB(ram.limit) },
    { what: 'system RAM, validation', value: ram.validation, unit: 'GiB', of: SHOW.GiB(ram.limit) },
    { what: 'time per epoch', value: verdict.epoch, unit: 'h' },
    { what: `  ${part}statistics before it`, value: statistics, unit: 'h' },
    { what: `  ${part}data loading in training`, value: loading, unit: 'h' },
    { what: `  ${part}validation`, value: validation, unit: 'h' },
    { what: 'before the first epoch of a job', value: verdict.start, unit: 'h' },
    ...(likely && all && likely.stop.epochs < all.stop.epochs
      ? [
          {
            what: `${likely.stop.epochs} epochs, stopped early`,
            value: { ...likely.hours, source: likely.stop.why },
            unit: 'h',
          } as const,
          ...money('  their cost', likely.dollars),
        ]
      : []),
    ...(all
      ? [
          {
            what: all.stop.epochs === 1 ? 'the epoch' : `all ${all.stop.epochs} epochs`,
            value: all.hours,
            unit: 'h',
          } as const,
        ]
      : []),
    ...money(all?.stop.epochs === 1 ? '  its cost' : '  their cost', all?.dollars),
  ];
}

const priceOf = ({ low, likely, high }: Quantity): string =>
  `$${likely.toFixed(2)}${low === high ? '' : ` ($${low.toFixed(2)} – $${high.toFixed(2)})`}`;

const SAID: Readonly<Record<Fit, string>> = {
  fits: 'fits',
  borderline: 'borderline: the likely values fit, not the high ends',
  "won't fit": "won't fit",
};

const OVER_REQUEST = 'borderline: it needs more system RAM than is asked of Modal, which is no limit';

function asText(asked: Asked, found: Forecast, failed: readonly Issue[]): string {
  const rows = rowsOf(found).map(({ what, value, unit, of }) => {
    const show = SHOW[unit];
    const range = value.low === value.high ? '' : `${show(value.low)} – ${show(value.high)}`;
    return [
      what,
      show(value.likely),
      range,
      of === undefined ? '' : `of ${of.replace(/^of /, '')}`,
      value.basis,
      value.source,
    ];
  });
  const heads = ['', 'estimate', 'range', '', 'basis', 'source'];
  const { plan, verdict, ram, notes } = found;
  const { jobs, rate, remedies } = verdict;
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  const { killed } = ram.odds;
  const modal = plan.machine.name === 'modal';
  const overRequest = modal && ram.peak.likely > ram.limit;
  return [
    `${inLine(asked.file)} on ${plan.machine.gpu.name}, ${plan.machine.ramGiB} GiB, ${plan.machine.name}: ${verdict.fit === 'borderline' && overRequest ? OVER_REQUEST : SAID[verdict.fit]}${failed.length > 0 ? ', and should not be launched' : ''}`,
    ...failed.map((issue) => `  ${issue.severity} ${issue.id} ${sentence(issue)}`),
    '',
    ...aligned([heads, ...rows]),
    '',
    `GPU memory: ${verdict.gpu.fit}. System RAM: ${verdict.ram.fit}.`,
    `${modal ? 'Above the request' : 'OOM-killed'} in training: ${percent(killed.likely)} of ${ram.odds.runs} simulated runs (95 %: ${percent(killed.low)} – ${percent(killed.high)}), within the first ${several(ram.odds.curve.at(-1)?.batch ?? 0, 'batch')}.`,
    jobs
      ? `All epochs take ${jobs.count === 1 ? 'one job' : `${jobs.count} jobs of ${MODAL.jobHours} h, each resumed`}.`
      : `No number of jobs completes the run: fewer than two epochs fit ${MODAL.jobHours} h.`,
    rate
      ? `Price per hour ${priceOf(rate)}: ${rate.source}.`
      : `${unpriced(plan.machine)} Give --rate for its cost.`,
    ...notes,
    ...(remedies.length > 0
      ? [
          '',
          `What would ${verdict.fit === 'fits' ? 'be faster' : 'fit'}:`,
          ...remedies.map((one) => `  ${inWords(one)}`),
        ]
      : []),
  ].join('\n');
}

const headOf = ({ file, machine: { name: target, gpu, ramGiB } }: Asked, failed: readonly Issue[]) => ({
  file,
  target,
  gpu: { id: gpu.id, name: gpu.name, memoryBytes: gpu.memoryBytes },
  ramBytes: ramGiB * GIB,
  failing: failed.map((issue) => ({ id: issue.id, severity: issue.severity, message: sentence(issue) })),
});

function asJson(asked: Asked, found: Forecast, failed: readonly Issue[]): unknown {
  const { verdict, vram, ram, statistics, loading, validation, costs, notes } = found;
  const { epoch, rate, remedies } = verdict;
  return {
    ...headOf(asked, failed),
    fit: verdict.fit,
    vram: {
      fit: verdict.gpu.fit,
      total: vram.total,
      allocated: vram.allocated,
      reserved: vram.reserved,
      parts: vram.parts,
    },
    ram: {
      fit: ram.fits,
      limitBytes: ram.limit,
      training: ram.training,
      validation: ram.validation,
      oomKilled: ram.odds.killed,
      victims: ram.odds.victims,
      runs: ram.odds.runs,
    },
    hoursPerEpoch: epoch,
    statisticsHoursPerEpoch: statistics,
    loadingHoursPerEpoch: loading,
    validationHoursPerEpoch: validation,
    hoursBeforeFirstEpoch: verdict.start,
    dollarsPerHour: rate ?? null,
    costs: costs.map(({ stop, hours, jobs, dollars }) => ({
      stop,
      hours,
      jobs: jobs ?? null,
      dollars: dollars ?? null,
    })),
    remedies,
    notes,
  };
}
