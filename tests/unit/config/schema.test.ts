/** Whole files against the trainer's schema as pydantic and PyYAML have it: verdicts, values, and where fixes lead. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/base/random';
import { applyChanges, EditError } from '../../../src/config/edit';
import { inspect } from '../../../src/config/issues';
import { KEYS } from '../../../src/config/keys';
import type { PyValue } from '../../../src/config/plain';
import { readConfig } from '../../../src/config/settings';
import { TARGETS } from '../../../src/config/targets';
import { FULL } from '../../full';
import { Generator } from './generate';
import { PYDANTIC, pythonWith, runPython } from './python';

/** Of the files, those whose fixes are applied, which costs many readings each. */
const FIXED = 1000;
const python = pythonWith(PYDANTIC.modules, PYDANTIC.how, PYDANTIC.check);
const SCHEMA = join(import.meta.dirname, 'schema.py');

/** Files of which about half are rejected. */
function filesOf(seed: number, count: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => new Generator(random, [0, 0, 0.02, 0.1][i % 4]).file(true));
}

type Theirs = Readonly<Record<string, unknown>> | null;
const read = (texts: readonly string[]): Theirs[] => runPython(python ?? '', SCHEMA, texts) as Theirs[];

/** As schema.py writes values; paths are what pathlib makes of them. */
function plain(path: string, value: PyValue | undefined): unknown {
  if (Array.isArray(value)) return (value as readonly PyValue[]).map((one) => plain('', one));
  if (typeof value === 'number') return { number: value };
  return PATHS.has(path) && typeof value === 'string' ? normal(value) : value;
}

const PATHS = new Set(['data.data_dir', 'data.cache_dir', 'experiment.output_dir', 'experiment.cache_dir']);

/** pathlib drops what does not change where a path leads. */
function normal(path: string): string {
  const root = /^\/\/(?!\/)/.test(path) ? '//' : path.startsWith('/') ? '/' : '';
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return root + parts.join('/') || '.';
}

function number(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(number);
  if (typeof value !== 'object' || value === null || !('number' in value)) return value;
  const text = String(value.number).replace('inf', 'Infinity');
  return Number(text) + 0;
}

describe.skipIf(python === undefined)('against pydantic and PyYAML', () => {
  const texts = filesOf(7, FULL ? 10_000 : 200);

  test('verdicts and values agree', () => {
    const theirs = read(texts);
    let [accepted, values] = [0, 0];
    for (const [i, text] of texts.entries()) {
      const { errors, settings } = readConfig(text);
      const ours = errors.length === 0 && settings.rejected.length === 0;
      const expected = theirs[i];
      const why = errors[0]?.message ?? settings.rejected[0]?.problem;
      expect([text, ours, why]).toEqual([text, expected !== null, why]);
      if (!expected) continue;
      accepted++;
      for (const { path } of KEYS) {
        expect([text, path, number(plain(path, settings.value(path)))]).toEqual([
          text,
          path,
          number(expected[path]),
        ]);
        values++;
      }
    }
    expect(accepted).toBeGreaterThan(texts.length / 5);
    expect(texts.length - accepted).toBeGreaterThan(texts.length / 5);
    expect(values).toBe(accepted * KEYS.length);
  });

  test('a rejected file with all its fixes is accepted', () => {
    const fixed = texts
      .slice(0, FIXED)
      .filter((text) => !acceptedHere(text))
      .map(withFixes);
    const made = fixed.filter((text) => text !== undefined);
    expect(made.length).toBeGreaterThan(0.95 * fixed.length);
    expect(read(made).filter((values) => values === null)).toEqual([]);
  });
});

const subject = { name: 'configs/a.yaml', target: TARGETS.local };
const acceptedHere = (text: string): boolean => inspect(text, subject).accepted;

/** With the fixes of all validation errors; undefined where an error says that a person has to change the text. */
function withFixes(text: string): string | undefined {
  let made = text;
  // A fix may bring up what two keys need together.
  for (let round = 0; round < 3; round++) {
    const { accepted, issues } = inspect(made, subject);
    if (accepted) return made;
    for (const { severity, fix, message } of issues) {
      if (severity !== 'invalid') continue;
      if (!fix) {
        expect(message).toMatch(/text|quote|remove|write|align|colon|rename|anchor|not a mapping/i);
        return undefined;
      }
      try {
        made = applyChanges(made, fix);
      } catch (error) {
        expect(error).toBeInstanceOf(EditError);
        expect((error as Error).message).toMatch(/in the text/);
        return undefined;
      }
    }
  }
  return expect(inspect(made, subject).issues.filter(({ severity }) => severity === 'invalid')).toEqual(
    [],
  ) as never;
}

test('a rejected file with all its fixes has no validation error', () => {
  const texts = filesOf(8, FULL ? 500 : 60).filter((text) => !acceptedHere(text));
  expect(texts.length).toBeGreaterThan(10);
  for (const text of texts) withFixes(text);
});

test.each([
  ['postprocessing: {hysteresis: {tau_off: 1.0}}'],
  ['postprocessing: {hysteresis: {tau_off: 1.5}}'],
  ['postprocessing: {hysteresis: {tau_on: 0.5, tau_off: 0.5}}'],
  ['postprocessing: {hysteresis: {tau_on: 0.3, tau_off: 1}}'],
  ['postprocessing: {duration: {min_duration_s: .inf, max_duration_s: 1}}'],
  ['postprocessing: {duration: {min_duration_s: 700}}'],
  ['postprocessing: {}\ntraining: {learning_rate: 1e-1}'],
  ['postprocessing: {}\ntraining: {epochs: .inf}'],
  ['postprocessing: {}\nexperiment: {device: cpu}'],
  ['postprocessing:\n1.5: x'],
  [''],
  ['# nothing\n'],
])('%j is fixed', (text) => {
  expect(withFixes(text)).toBeDefined();
});
