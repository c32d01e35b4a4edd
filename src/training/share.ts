/** Settings as the end of a link: what differs from the smoke run, and nothing else. */
import { quoted } from '../base/text';
import { SettingsError } from '../run/failure';
import { allowedOf, formText, isAllowed, parseValue } from './fields';
import {
  checkSettings,
  FIELD_AT,
  FIELDS,
  metricsOf,
  SMOKE_RUN,
  valueOf,
  withValues,
  type EegSettings,
  type SettingName,
} from './settings';

/** Counted up when a link of before would mean something else. */
const VERSION = '1';

export interface Difference {
  /** With dots between the parts. */
  readonly name: SettingName;
  /** What the form calls it. */
  readonly label: string;
  /** Lists as one text. */
  readonly from: unknown;
  readonly to: unknown;
  /** Both as the form shows them, in its unit. */
  readonly texts: readonly [from: string, to: string];
}

/** Where `to` differs from `from`, setting by setting. */
export const differences = (from: EegSettings, to: EegSettings): Difference[] =>
  FIELDS.map(([name, field]) => {
    const values = [valueOf(from, name), valueOf(to, name)] as const;
    const [before, after] = values.map((value) => (Array.isArray(value) ? value.join(',') : value));
    const texts = [formText(field, values[0]), formText(field, values[1])] as const;
    return { name, label: field.label, from: before, to: after, texts };
  }).filter(({ from, to }) => from !== to);

/** `v=1&model.layers=3`: goes behind `#/train?`. */
export function encodeShare(settings: EegSettings): string {
  const query = new URLSearchParams({ v: VERSION });
  for (const { name, to } of differences(SMOKE_RUN, settings)) query.set(name, String(to));
  return query.toString();
}

/** Longer ones are no link to settings. */
const MAX_CHARACTERS = 4000;

/** Settings of a link's query. Throws SettingsError where it names what is no setting, or has a value that is not allowed. */
export function decodeShare(query: string): EegSettings {
  if (query.length > MAX_CHARACTERS)
    throw new SettingsError(
      `the link has ${query.length} characters of settings, at most ${MAX_CHARACTERS} are read`,
    );
  const given = new URLSearchParams(query);
  const version = given.get('v');
  if (version !== VERSION)
    throw new SettingsError(
      `the link is of version ${version === null ? '(none)' : quoted(version)}, this page reads version ${VERSION}`,
    );
  if (given.getAll('v').length > 1) throw new SettingsError('the link sets "v" twice');
  given.delete('v');
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [written, text] of given) {
    const known = FIELD_AT.get(written);
    if (!known) throw new SettingsError(`the link sets ${quoted(written)}, which is not a setting`);
    const [name, field] = known;
    if (name in values) throw new SettingsError(`the link sets ${quoted(written)} twice`);
    values[name] = valueIn(name, field, text);
  }
  const settings = withValues(SMOKE_RUN, values);
  checkSettings(settings);
  const metrics = metricsOf(settings);
  const { metric } = settings.earlyStopping;
  if (!metrics.includes(metric))
    throw new SettingsError(
      `the link sets earlyStopping.metric to ${quoted(metric)}; it must be one of ${metrics.join(', ')}`,
    );
  return settings;
}

function valueIn(name: SettingName, field: Parameters<typeof parseValue>[0], text: string): unknown {
  const value = parseValue(field, text);
  if (isAllowed(field, value)) return value;
  const separated = field.kind.type === 'list' ? ', with commas between them' : '';
  throw new SettingsError(
    `the link sets ${name} to ${quoted(text)}; it must be ${allowedOf(field)}${separated}`,
  );
}
