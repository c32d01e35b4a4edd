/** Settings as the end of a link: what differs from the smoke run, and nothing else. */
import { SettingsError } from '../run/failure';
import { allowedOf, isAllowed, parseValue } from './fields';
import {
  checkSettings,
  FIELD_AT,
  FIELDS,
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
}

/** Where `to` differs from `from`, setting by setting. */
export const differences = (from: EegSettings, to: EegSettings): Difference[] =>
  FIELDS.map(([name, { label }]) => {
    const [before, after] = [from, to].map((settings) => {
      const value = valueOf(settings, name);
      return Array.isArray(value) ? value.join(',') : value;
    });
    return { name, label, from: before, to: after };
  }).filter(({ from, to }) => from !== to);

/** `v=1&model.layers=3`: goes behind `#/detector?`. */
export function encodeShare(settings: EegSettings): string {
  const query = new URLSearchParams({ v: VERSION });
  for (const { name, to } of differences(SMOKE_RUN, settings)) query.set(name, String(to));
  return query.toString();
}

/** As shown in a sentence: bounded, without control characters. */
const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** Longer ones are no link to settings. */
const MAX_CHARACTERS = 4000;

/** Settings of a link's query. Throws SettingsError where it names what is no setting, or has a value that is not allowed. */
export function decodeShare(query: string): EegSettings {
  if (query.length > MAX_CHARACTERS)
    throw new SettingsError(
      `the link has ${query.length} characters of settings, at most ${MAX_CHARACTERS} are read`,
    );
  const given = new URLSearchParams(query);
  if (given.get('v') !== VERSION)
    throw new SettingsError(
      `the link is of version ${given.get('v') ?? '(none)'}, this page reads version ${VERSION}`,
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
  return settings;
}

function valueIn(name: SettingName, field: Parameters<typeof parseValue>[0], text: string): unknown {
  const value = parseValue(field, text);
  // A metric's name is shown, so it may be none but a name.
  if (isAllowed(field, value) && (field.kind.type !== 'text' || /^[\w.]{1,60}$/.test(text))) return value;
  const separated = field.kind.type === 'list' ? ', with commas between them' : '';
  const allowed = field.kind.type === 'text' ? 'a name' : `${allowedOf(field)}${separated}`;
  throw new SettingsError(`the link sets ${name} to ${quoted(text)}; it must be ${allowed}`);
}
