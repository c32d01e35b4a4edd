/** The command line of a command, described once: its arguments are read, checked and explained by the same table of options. */
import { parseArgs } from 'node:util';
import { inLine } from '../base/text';
import { nearestOf } from '../config/letters';
import { DataError } from '../eeg/errors';
import { SettingsError } from '../run/failure';
import { isFileError, sentenceOf } from './file_error';
import { beQuiet, complain, print } from './print';

/** An argument of the command line that is wrong, as a sentence; ends a command with exit code 2. */
export class ArgumentError extends Error {
  override name = 'ArgumentError';
}

/** What an option takes and what it is for. */
export interface Option<T = unknown> {
  /** What help shows for its value, as DIR or N; left out for a flag, which takes none. */
  readonly placeholder?: string;
  readonly help: string;
  readonly required?: true;
  /** Of all texts that were given for it, in their order. Throws ArgumentError; `name` is as it is written, with its dashes. */
  read(texts: readonly string[], name: string): T;
}

type Options = Readonly<Record<string, Option>>;
type Values<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

/** Whether it is given. */
export const flag = (help: string): Option<boolean> => ({ help, read: (texts) => texts.length > 0 });

/** The text that is given. Throws ArgumentError where there are several: nobody knows which of them is meant. */
function single(given: readonly string[], name: string): string | undefined {
  if (given.length > 1)
    throw new ArgumentError(
      `${name} is given ${given.length} times (${given.map(inLine).join(', ')}); give it once`,
    );
  return given[0];
}

/** The text that is given for it. */
export const text = (placeholder: string, help: string): Option<string | undefined> => ({
  placeholder,
  help,
  read: single,
});

/** All texts that are given for it. */
export const texts = (placeholder: string, help: string): Option<readonly string[]> => ({
  placeholder,
  help,
  read: (given) => given,
});

/** The text of an option that must be given. */
export const required = (placeholder: string, help: string): Option<string> => ({
  placeholder,
  help,
  required: true,
  read: (given, name) => {
    const one = single(given, name);
    if (one === undefined) throw new ArgumentError(`${name} is missing; give ${name} ${placeholder}`);
    return one;
  },
});

/** One of some words. `placeholder`: where the words themselves would be too many. */
export const choice = <T extends string>(
  of: readonly T[],
  help: string,
  placeholder = of.join('|'),
): Option<T | undefined> => ({
  placeholder,
  help,
  read: (given, name) => {
    const word = single(given, name);
    const found = of.find((one) => one === word);
    if (word !== undefined && found === undefined)
      throw new ArgumentError(`${name} is ${inLine(word)}; it must be one of ${of.join(', ')}`);
    return found;
  },
});

interface Bounds {
  readonly whole?: boolean;
  readonly min?: number;
  readonly max?: number;
}

/** A number between bounds; above 0 where it has no `min`. */
export const number = (
  placeholder: string,
  help: string,
  bounds: Bounds = {},
): Option<number | undefined> => ({
  placeholder,
  help,
  read: (given, name) => {
    const one = single(given, name);
    return one === undefined ? undefined : numberOf(one, name, bounds);
  },
});

/** Reads a number that `name` gives. Throws ArgumentError where it is none, or outside its bounds. */
export function numberOf(
  given: string,
  name: string,
  { whole = false, min, max = Infinity }: Bounds,
): number {
  const value = given.trim() === '' ? NaN : Number(given);
  const allowed = (min === undefined ? value > 0 : value >= min) && value <= max && Number.isFinite(value);
  if (allowed && (!whole || Number.isInteger(value))) return value;
  const from = min === undefined ? 'above 0' : `from ${min}`;
  const to = max === Infinity ? '' : min === undefined ? `, at most ${max}` : ` to ${max}`;
  throw new ArgumentError(
    `${name} is ${inLine(given)}; it must be a ${whole ? 'whole ' : ''}number ${from}${to}`,
  );
}

/** A command of `smokescan`, all that its help says of it and all that it takes. */
export interface Command<O extends Options> {
  readonly name: string;
  /** What it takes beside options: a name that must be given, [NAME] that may be, NAME… for one or more. */
  readonly takes: readonly string[];
  /** What it does. */
  readonly about: string;
  /** By name, without its dashes. */
  readonly options: O;
  /** Further options, which help lists by themselves, and whose values come apart. */
  readonly more?: { readonly heading: string; readonly placeholder: string; readonly options: Options };
  /** What its results and exit codes mean. */
  readonly notes: string;
}

export interface Arguments<O extends Options> {
  readonly given: readonly string[];
  readonly values: Values<O>;
  /** Of those options of `more` that are given. */
  readonly more: Readonly<Record<string, unknown>>;
}

/**
 * Runs a command and returns its exit code. --help prints what the command takes and ends with 0. Wrong arguments end with 2 and
 * a sentence: with where the help is behind it where they can be seen to be wrong, without where `run` finds out and throws
 * ArgumentError.
 * Files, data or settings that cannot be used end with 1 and the sentence that `run` throws.
 */
export async function runCommand<O extends Options>(
  command: Command<O>,
  args: readonly string[],
  run: (given: Arguments<O>) => Promise<number>,
): Promise<number> {
  let read;
  try {
    read = readArguments(command, args);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    complain(`${error.message}\nsmokescan ${command.name} --help shows what it takes.`);
    return 2;
  }
  beQuiet(read !== 'help' && read.quiet);
  if (read === 'help') {
    print(helpOf(command));
    return 0;
  }
  try {
    return await run(read.given);
  } catch (error) {
    const wrong = error instanceof ArgumentError;
    if (!wrong && !isForPersons(error)) throw error;
    complain(sentenceOf(error));
    return wrong ? 2 : 1;
  }
}

/** Whether an error's message is a sentence for whoever typed the command, not a fault of this program. */
const isForPersons = (error: unknown): error is Error =>
  error instanceof SettingsError || error instanceof DataError || isFileError(error);

/** What every command takes. */
const QUIET = { quiet: flag('prints no results and no progress: errors and remarks alone') };

/** Throws ArgumentError where a command does not take these arguments. */
function readArguments<O extends Options>(
  command: Command<O>,
  args: readonly string[],
): { readonly given: Arguments<O>; readonly quiet: boolean } | 'help' {
  const known: Options = { ...command.options, ...command.more?.options, ...QUIET };
  // Strict, it would name unknown options without the one that was meant.
  const { positionals, tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(known).map(([name, { placeholder }]) => [
        name,
        { type: placeholder === undefined ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    if (rawName === '--help' || rawName === '-h') return 'help';
    const option = rawName.startsWith('--') && Object.hasOwn(known, name) ? known[name] : undefined;
    if (!option) throw new ArgumentError(unknownOption(rawName, Object.keys(known)));
    const { placeholder } = option;
    if (placeholder === undefined && inlineValue)
      throw new ArgumentError(`${rawName} takes no value; leave out =${value}`);
    // What follows is an option where it looks like one, not a value that was forgotten.
    // Nothing is what a variable of the shell gives that is not set.
    if (placeholder !== undefined && (!value || (!inlineValue && value.startsWith('--'))))
      throw new ArgumentError(`${rawName} has no value; give ${rawName} ${placeholder}`);
    given.set(name, [...(given.get(name) ?? []), value ?? '']);
  }
  checkTaken(command, positionals);
  const read = (options: Options, names: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(names.map((name) => [name, options[name]?.read(given.get(name) ?? [], `--${name}`)]));
  const more = command.more?.options ?? {};
  return {
    given: {
      given: positionals,
      values: read(command.options, Object.keys(command.options)) as Values<O>,
      more: read(
        more,
        Object.keys(more).filter((name) => given.has(name)),
      ),
    },
    quiet: given.has('quiet'),
  };
}

/** Names the option that is likely meant: one that starts alike, or is few letters away. */
function unknownOption(written: string, known: readonly string[]): string {
  const best = nearestOf(written.replace(/^-+/, ''), known);
  return `There is no option ${written}${best ? `; the nearest is --${best}` : ''}`;
}

function checkTaken({ name, takes }: Command<Options>, given: readonly string[]): void {
  const min = takes.filter((one) => !one.startsWith('[')).length;
  const max = takes.some((one) => one.endsWith('…')) ? Infinity : takes.length;
  if (given.length < min) throw new ArgumentError(`${takes[given.length]} is missing`);
  // One of many keeps no other from being looked at: the command says so itself.
  const empty = max === Infinity ? -1 : given.indexOf('');
  // What a variable of the shell gives that is not set.
  if (empty >= 0)
    throw new ArgumentError(
      `argument ${empty + 1} is empty; give ${takes[Math.min(empty, takes.length - 1)] ?? 'options alone'}`,
    );
  if (given.length > max)
    throw new ArgumentError(
      `smokescan ${name} takes ${takes.join(' ') || 'options alone'}; ${given.slice(max).join(' ')} is too much`,
    );
}

const COLUMNS = 120;

/** Text in lines of at most so many columns, the first behind `head`, the others behind as many blanks. */
function wrapped(head: string, words: readonly string[]): string {
  const indent = ' '.repeat(head.length);
  let [done, line] = ['', head];
  for (const word of words) {
    if (line.length + word.length > COLUMNS && line !== indent) {
      done += `${line.trimEnd()}\n`;
      line = indent;
    }
    line += `${word} `;
  }
  return done + line.trimEnd();
}

const headOf = ([name, { placeholder }]: readonly [string, Option]): string =>
  placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`;

/** The longest head of an option that still has its text beside it, in the column of the others. */
const MAX_HEAD = 27;

function linesOf(options: Options): string[] {
  const entries = Object.entries(options);
  const widths = entries.map((entry) => headOf(entry).length);
  const width = Math.max(...widths.filter((length) => length <= MAX_HEAD));
  return entries.map((entry) => {
    const head = `  ${headOf(entry).padEnd(width)}  `;
    const words = entry[1].help.split(' ');
    return head.length > width + 4
      ? `${head.trimEnd()}\n${wrapped(' '.repeat(width + 4), words)}`
      : wrapped(head, words);
  });
}

/** What `--help` prints. */
function helpOf({ name, takes, about, options, more, notes }: Command<Options>): string {
  const parts = Object.entries(options).map((entry) =>
    entry[1].required ? headOf(entry) : `[${headOf(entry)}]`,
  );
  return [
    wrapped(`Usage: smokescan ${name} `, [...takes, ...parts, ...(more ? [`[${more.placeholder}…]`] : [])]),
    '',
    about,
    '',
    ...linesOf({ ...options, ...QUIET, help: flag('prints this') }),
    ...(more ? ['', more.heading, ...linesOf(more.options)] : []),
    '',
    notes,
  ].join('\n');
}
