/** Settings as the end of a link: what differs from the smoke run, and nothing else. */
import { SettingsError } from '../run/failure';
import { checkSettings, SMOKE_RUN, type EegSettings } from './settings';

/** Counted up when a link of before would mean something else. */
const VERSION = '1';

export interface Difference {
  /** With dots between the parts. */
  readonly name: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** Where `to` differs from `from`, leaf by leaf. */
export function differences(from: EegSettings, to: EegSettings): Difference[] {
  const [before, after] = [leaves(from), leaves(to)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) =>
    before.get(name) === after.get(name) ? [] : [{ name, from: before.get(name), to: after.get(name) }],
  );
}

/** `v=1&model.layers=3`: goes behind `#/detector?`. */
export function encodeShare(settings: EegSettings): string {
  const query = new URLSearchParams({ v: VERSION });
  for (const { name, to } of differences(SMOKE_RUN, settings)) query.set(name, String(to));
  return query.toString();
}

/** Settings whose value is not null may be null, or a number. */
const NULLABLE = [
  'stepsPerEpoch',
  'mostSteps',
  'checkpoints.everySteps',
  'checkpoints.everyMinutes',
  'memoryLimit',
];
/** Settings that are lists of numbers. */
const LISTS = ['model.kernelSizes', 'falseAlarmRates'];
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  'model.mixer': ['mamba2', 'conv'],
  loss: ['bce', 'focal'],
  split: ['patient', 'file'],
  precision: ['float32', 'float16'],
  'earlyStopping.mode': ['max', 'min'],
  'postprocessing.confidence_method': ['mean', 'peak', 'percentile'],
};

/** As shown in a sentence: bounded, without control characters. */
const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** Longer ones are no link to settings. */
const MOST_CHARACTERS = 4000;

/** Throws SettingsError for a link that names what is no setting, or gives it a value that it cannot have. */
export function decodeShare(query: string): EegSettings {
  if (query.length > MOST_CHARACTERS)
    throw new SettingsError(
      `the link has ${query.length} characters of settings, ${MOST_CHARACTERS} are the most that are read`,
    );
  const given = new URLSearchParams(query);
  if (given.get('v') !== VERSION)
    throw new SettingsError(
      `the link is of version ${given.get('v') ?? '(none)'}, this page reads version ${VERSION}`,
    );
  const settings = structuredClone(SMOKE_RUN) as unknown as Record<string, unknown>;
  const known = leaves(SMOKE_RUN);
  for (const [name, text] of given) {
    if (given.getAll(name).length > 1) throw new SettingsError(`the link sets ${quoted(name)} twice`);
    if (name === 'v') continue;
    if (!known.has(name)) throw new SettingsError(`the link sets ${quoted(name)}, which is no setting`);
    const parts = name.split('.');
    const last = parts.pop() ?? '';
    const parent = parts.reduce((at, part) => at[part] as Record<string, unknown>, settings);
    parent[last] = valueOf(name, text, known.get(name));
  }
  const decoded = settings as unknown as EegSettings;
  checkSettings(decoded);
  return decoded;
}

function valueOf(name: string, text: string, base: unknown): unknown {
  const wrong = (expected: string): SettingsError =>
    new SettingsError(`the link sets ${name} to ${quoted(text)}, it must be ${expected}`);
  const choices = CHOICES[name];
  if (choices) {
    if (!choices.includes(text)) throw wrong(`one of ${choices.join(', ')}`);
    return text;
  }
  if (typeof base === 'boolean') {
    if (text !== 'true' && text !== 'false') throw wrong('true or false');
    return text === 'true';
  }
  if (NULLABLE.includes(name) && text === 'null') return null;
  if (name === 'model.baseChannels' && text === 'auto') return text;
  if (name === 'earlyStopping.metric') {
    if (!/^[\w.]{1,60}$/.test(text)) throw wrong('the name of a score');
    return text;
  }
  const number = (written: string): number => (written.trim() === '' ? NaN : Number(written));
  if (LISTS.includes(name)) {
    const list = text === '' ? [] : text.split(',').map(number);
    if (!list.every(Number.isFinite)) throw wrong('numbers with commas between them');
    return list;
  }
  if (!Number.isFinite(number(text))) throw wrong('a number');
  return number(text);
}

/** Lists as one text. */
function leaves(value: object, prefix = ''): Map<string, unknown> {
  return new Map(
    Object.entries(value).flatMap(([key, part]: [string, unknown]): [string, unknown][] =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? [...leaves(part, `${prefix}${key}.`)]
        : [[prefix + key, Array.isArray(part) ? part.join(',') : part]],
    ),
  );
}
