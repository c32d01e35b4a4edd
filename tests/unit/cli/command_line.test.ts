import { expect, test, vi } from 'vitest';
import {
  ArgumentError,
  choice,
  flag,
  number,
  required,
  runCommand,
  text,
  texts,
} from '../../../src/cli/command_line';
import { complain, print } from '../../../src/cli/print';

const COMMAND = {
  name: 'bake',
  takes: ['FLOUR', '[WATER]'],
  about: 'Bakes.',
  options: {
    out: required('DIR', 'where to'),
    heat: number('N', 'how hot', { whole: true, min: 1, max: 300 }),
    salt: number('R', 'how salty'),
    grain: choice(['rye', 'wheat'], 'of what'),
    note: text('T', 'what to write on it'),
    seed: texts('T', 'what lies on it'),
    json: flag('as JSON'),
  },
  more: { heading: 'Others:', placeholder: 'OTHER', options: { time: number('N', 'how long') } },
  notes: 'Exit code 0.',
};

async function run(...args: string[]) {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
  let read: unknown;
  try {
    const code = await runCommand(COMMAND, args, (given) => {
      read = given;
      if (given.values.note === 'burnt') throw new ArgumentError('--note is burnt: nobody eats that');
      return Promise.resolve(0);
    });
    return { code, read, out: log.mock.calls.join('\n'), errors: error.mock.calls.join('\n') };
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
}

test.each([
  [['a', '--out', 'd', '--heat', '200', '--json', '--seed', 'x', '--seed', 'y']],
  [['--seed=x', '--json', '--heat=200', '--seed=y', '--out=d', 'a']],
])('reads values behind a blank or =: %j', async (args) => {
  const { code, read } = await run(...args);
  expect(code).toBe(0);
  expect(read).toEqual({
    given: ['a'],
    values: { out: 'd', heat: 200, json: true, seed: ['x', 'y'] },
    more: {},
  });
});

test('gives the options of the second table apart, and only those that are given', async () => {
  expect((await run('a', 'b', '--out', 'd', '--time', '3')).read).toMatchObject({
    given: ['a', 'b'],
    values: { seed: [], json: false },
    more: { time: 3 },
  });
});

test('takes what stands behind -- as it is', async () => {
  expect((await run('--out', 'd', '--', '--json')).read).toMatchObject({ given: ['--json'] });
});

test.each([
  [['a', '--out', 'd', '--HEAT', '3'], 'There is no option --HEAT; the nearest is --heat'],
  // The last letter but one is Cyrillic.
  [['a', '--out', 'd', '--graіn=rye'], 'the nearest is --grain'],
  [['a', '--out', 'd', '--out', 'e'], '--out is given 2 times (d, e); give it once'],
  [
    ['a', '--out', 'd', '--grain', 'rye', '--grain', 'rye'],
    '--grain is given 2 times (rye, rye); give it once',
  ],
  [['a', '--out', 'd', '--heat', '3', '--heat=4'], '--heat is given 2 times (3, 4); give it once'],
  [['a', '--out', 'd', '--note', 'x', '--note', 'y'], '--note is given 2 times (x, y); give it once'],
  [['a', '--out', 'd', '--hea', '3'], 'There is no option --hea; the nearest is --heat'],
  [['a', '--out', 'd', '--tine=3'], 'There is no option --tine; the nearest is --time'],
  [['a', '--out', 'd', '-j'], 'There is no option -j; the nearest is --json'],
  [['a', '--out', 'd', '--toString'], /^There is no option --toString$/],
  [['a', '--out'], '--out has no value; give --out DIR'],
  [['a', '--out', ''], '--out has no value; give --out DIR'],
  [['a', '--out', '--json'], '--out has no value; give --out DIR'],
  [['a'], '--out is missing; give --out DIR'],
  [['--out', 'd'], 'FLOUR is missing'],
  [['', '--out', 'd'], 'argument 1 is empty; give FLOUR'],
  [['a', 'b', 'c', 'd', '--out', 'd'], 'smokescan bake takes FLOUR [WATER]; c d is too much'],
  [['a', '--out', 'd', '--json=no'], '--json takes no value; leave out =no'],
  [['a', '--out', 'd', '--heat', '301'], '--heat is 301; it must be a whole number from 1 to 300'],
  [['a', '--out', 'd', '--heat', '1.5'], '--heat is 1.5; it must be a whole number from 1 to 300'],
  [['a', '--out', 'd', '--salt', '-4'], '--salt is -4; it must be a number above 0'],
  [['a', '--out', 'd', '--salt='], '--salt has no value; give --salt R'],
  [['a', '--out', 'd', '--grain', 'oak'], '--grain is oak; it must be one of rye, wheat'],
])('%j: exit code 2, a sentence and where the help is', async (args, sentence) => {
  const { code, read, errors, out } = await run(...args);
  expect(code).toBe(2);
  expect(read).toBeUndefined();
  expect(errors.split('\n')[0]).toMatch(sentence);
  expect(errors.split('\n').slice(1)).toEqual(['smokescan bake --help shows what it takes.']);
  expect(out).toBe('');
});

test('what a command itself finds wrong with its arguments: exit code 2 and the sentence alone', async () => {
  expect(await run('a', '--out', 'd', '--note', 'burnt')).toMatchObject({
    code: 2,
    errors: '--note is burnt: nobody eats that',
  });
});

test.each(['--help', '-h'])('%s: each option with its help, exit code 0', async (help) => {
  const { code, out, errors } = await run('--heat', 'x', help);
  expect(code).toBe(0);
  expect(errors).toBe('');
  for (const line of ['--grain rye|wheat  of what', `--json${' '.repeat(13)}as JSON`, '--time N  how long'])
    expect(out.split('\n')).toContain(`  ${line}`);
});

test('--quiet: errors and remarks alone, and the next command speaks again', async () => {
  const speak = async (...args: string[]) => {
    const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
    const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
    try {
      const command = { ...COMMAND, takes: [], options: {} };
      const code = await runCommand(command, args, () => {
        print('a result');
        complain('a remark');
        return Promise.resolve(3);
      });
      return { code, out: log.mock.calls.join('\n'), errors: error.mock.calls.join('\n') };
    } finally {
      log.mockRestore();
      error.mockRestore();
    }
  };
  expect(await speak('--quiet')).toEqual({ code: 3, out: '', errors: 'a remark' });
  expect(await speak()).toEqual({ code: 3, out: 'a result', errors: 'a remark' });
  expect((await speak('--help')).out).toContain('--quiet  prints no results');
});
