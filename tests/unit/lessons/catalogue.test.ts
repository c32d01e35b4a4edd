import { expect, test } from 'vitest';
import { tasks } from '../../../src/lessons/tasks';
import { evaluationBatch } from '../../../src/lessons/tasks/task';
import {
  catalogue,
  defaults,
  dynamics,
  exampleSequence,
  findPreset,
  IGNORE,
  tokenWords,
} from '../../../src/lessons/loop/catalogue';

test('every task is listed with every preset, the defaults among them', () => {
  expect(catalogue.map(({ id }) => id)).toEqual(Object.keys(tasks));
  for (const { id, presets } of catalogue)
    expect(presets.map(({ name }) => name).sort()).toEqual(
      Object.keys(tasks[id as keyof typeof tasks].presets).sort(),
    );
  expect(findPreset(defaults).name).toBe('quick');
  expect(dynamics.map(({ name }) => name)).toContain(defaults.dynamics);
});

test('names that do not exist are rejected', () => {
  expect(() => findPreset({ task: 'chess', preset: 'quick' })).toThrow('there is no task "chess"');
  expect(() => findPreset({ task: 'induction_heads', preset: 'huge' })).toThrow('has no preset "huge"');
});

test.each(catalogue.flatMap(({ id, presets }) => presets.map(({ name }) => [id, name] as const)))(
  'examples of %s, %s: the first is the sequence that a run shows, others differ, all have words',
  (task, preset) => {
    const choice = { task, preset };
    const entry = findPreset(choice);
    const first = exampleSequence(choice, 0);
    const { sizes } = tasks[task as keyof typeof tasks].presets[preset];
    const shown = evaluationBatch(tasks[task as keyof typeof tasks], sizes, 2);
    expect(first.tokens).toEqual(shown.tokens.slice(0, entry.length));
    expect(first.targets).toEqual(shown.targets.slice(0, entry.length));
    expect(first.targets.filter((target) => target !== IGNORE)).toHaveLength(entry.answers);
    expect(exampleSequence(choice, 1)).not.toEqual(first);

    const words = tokenWords(choice);
    expect(words).toHaveLength(entry.vocabulary);
    for (const token of first.tokens) expect(words[token]?.text).toMatch(/^.{1,2}$/u);
  },
);
