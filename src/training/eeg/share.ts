/** Settings as the end of a link: what differs from the smoke run, and nothing else. */
import { SettingsError } from '../failure';
import { checkSettings, METRICS, SMOKE_RUN, type EegSettings } from './settings';

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
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  'model.mixer': ['mamba2', 'conv'],
  loss: ['bce', 'focal'],
  split: ['patient', 'file'],
  'earlyStopping.metric': METRICS,
  'postprocessing.confidence_method': ['mean', 'peak', 'percentile'],
};

/** Throws SettingsError for a link that names what is no setting, or gives it a value that it cannot have. */
export function decodeShare(query: string): EegSettings {
  const given = new URLSearchParams(query);
  if (given.get('v') !== VERSION)
    throw new SettingsError(
      `the link is of version ${given.get('v') ?? '(none)'}, this page reads version ${VERSION}`,
    );
  const settings = structuredClone(SMOKE_RUN) as unknown as Record<string, unknown>;
  const known = leaves(SMOKE_RUN);
  for (const [name, text] of given) {
    if (name === 'v') continue;
    if (!known.has(name))
      throw new SettingsError(`the link sets ${JSON.stringify(name)}, which is no setting`);
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
    new SettingsError(`the link sets ${name} to ${JSON.stringify(text)}, it must be ${expected}`);
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
  if (text.trim() === '' || !Number.isFinite(Number(text))) throw wrong('a number');
  return Number(text);
}

function leaves(value: object, prefix = ''): Map<string, unknown> {
  return new Map(
    Object.entries(value).flatMap(([key, part]: [string, unknown]): [string, unknown][] =>
      typeof part === 'object' && part !== null
        ? [...leaves(part, `${prefix}${key}.`)]
        : [[prefix + key, part]],
    ),
  );
}
