import { describe, expect, test } from 'vitest';
import { IGNORE as IGNORED_BY_LOSS } from '../../../src/engine/ops/softmax_cross_entropy';
import { Random } from '../../../src/base/random';
import { tasks } from '../../../src/lessons/tasks';
import {
  evaluationBatch,
  generateBatch,
  IGNORE,
  trainingBatch,
  type Task,
  type TaskSizes,
} from '../../../src/lessons/tasks/task';

/** The sequences of a batch as plain arrays; a target is null where it is ignored. */
function sequences(task: Task, sizes: TaskSizes, batch: number, seed = 1) {
  const { tokens, targets } = generateBatch(task, sizes, batch, new Random(seed));
  return Array.from({ length: batch }, (_, i) => {
    const range = [i * sizes.length, (i + 1) * sizes.length] as const;
    return {
      tokens: [...tokens.slice(...range)],
      targets: [...targets.slice(...range)].map((target) => (target === IGNORE ? null : target)),
    };
  });
}

const SMALL: TaskSizes = { length: 9, vocabulary: 5, answers: 2 };

describe('selective copying', () => {
  const task = tasks.selective_copying;

  test.each([SMALL, { length: 2, vocabulary: 3, answers: 1 }, { length: 64, vocabulary: 16, answers: 7 }])(
    'targets are the letters in order, one at each mark: %o',
    (sizes) => {
      const context = sizes.length - sizes.answers;
      for (const { tokens, targets } of sequences(task, sizes, 200)) {
        const letters = tokens.slice(0, context).filter((token) => token !== 0);
        expect(letters).toHaveLength(sizes.answers);
        expect(letters.every((letter) => letter < sizes.vocabulary - 1)).toBe(true);
        expect(tokens.slice(context)).toEqual(new Array(sizes.answers).fill(sizes.vocabulary - 1));
        expect(targets).toEqual([...new Array<null>(context).fill(null), ...letters]);
      }
    },
  );

  test('every sequence of a small size comes up', () => {
    const seen = new Set(sequences(task, SMALL, 4_000).map(({ tokens }) => tokens.join('')));
    expect(seen.size).toBe(21 * 3 ** 2); // places · letters
  });
});

describe('induction heads', () => {
  const task = tasks.induction_heads;

  test.each([
    { length: 9, vocabulary: 5, answers: 1 },
    { length: 3, vocabulary: 2, answers: 1 },
    { length: 256, vocabulary: 16, answers: 1 },
  ])('the mark at the end asks for the letter after the first mark: %o', (sizes) => {
    const [mark, last] = [sizes.vocabulary - 1, sizes.length - 1];
    for (const { tokens, targets } of sequences(task, sizes, 200)) {
      const marks = tokens.flatMap((token, i) => (token === mark ? [i] : []));
      expect(marks).toEqual([marks[0], last]);
      const remembered = tokens[(marks[0] as number) + 1];
      expect(remembered).toBeLessThan(mark);
      expect(targets).toEqual([...new Array<null>(last).fill(null), remembered]);
    }
  });

  test('every sequence of a small size comes up equally often', () => {
    const sizes = { length: 5, vocabulary: 3, answers: 1 };
    const counts = new Map<string, number>();
    for (const { tokens } of sequences(task, sizes, 6_000))
      counts.set(tokens.join(''), (counts.get(tokens.join('')) ?? 0) + 1);
    expect(counts.size).toBe(3 * 2 ** 3); // places · letters
    const squares = [...counts.values()].map((count) => (count - 250) ** 2 / 250);
    expect(squares.reduce((sum, value) => sum + value, 0)).toBeLessThan(49.7); // 99.9 % point of χ², 23 degrees
  });
});

describe.each(Object.entries(tasks))('%s', (id, task: Task) => {
  const { sizes, training } = task.presets.tiny;

  test('is listed under its own id', () => expect(task.id).toBe(id));

  test('a batch depends on the seed and the step alone', () => {
    const batch = trainingBatch(task, sizes, 4, 5, 17);
    trainingBatch(task, sizes, 4, 5, 16);
    expect(trainingBatch(task, sizes, 4, 5, 17)).toEqual(batch);
    expect(trainingBatch(task, sizes, 4, 5, 18)).not.toEqual(batch);
    expect(trainingBatch(task, sizes, 4, 6, 17)).not.toEqual(batch);
  });

  test('evaluation sequences are the same each time, and differ from those of training', () => {
    expect(evaluationBatch(task, sizes, 4)).toEqual(evaluationBatch(task, sizes, 4));
    expect(evaluationBatch(task, sizes, 4)).not.toEqual(trainingBatch(task, sizes, 4, 0, 1));
  });

  test('presets can be generated, and say what they are', () => {
    for (const preset of Object.values(task.presets)) {
      const { tokens, targets } = generateBatch(task, preset.sizes, 1, new Random(1));
      expect(tokens).toHaveLength(preset.sizes.length);
      expect(Math.max(...tokens)).toBeLessThan(preset.sizes.vocabulary);
      expect(targets.filter((target) => target !== IGNORE)).toHaveLength(preset.sizes.answers);
      expect(preset.note).not.toBe('');
    }
    expect(training.batch * training.steps).toBeGreaterThan(0);
  });

  test('every token has a text of its own', () => {
    const { presets } = task;
    const texts = Array.from(
      { length: presets.published.sizes.vocabulary },
      (_, token) => task.describeToken(token, presets.published.sizes).text,
    );
    expect(new Set(texts).size).toBe(texts.length);
  });

  test('impossible sizes are rejected with the reason', () => {
    const attempt = (change: Partial<TaskSizes>) => () =>
      generateBatch(task, { ...sizes, ...change }, 1, new Random(1));
    expect(attempt({ length: 2 * sizes.answers - 1 })).toThrow('do not fit');
    expect(attempt({ vocabulary: 1 })).toThrow('vocabulary');
    expect(attempt({ answers: 0 })).toThrow('answers');
    expect(attempt({ answers: sizes.length })).toThrow(/do not fit|one answer/);
    expect(attempt({ length: 10.5 })).toThrow('length');
  });

  test('a guess is right as often as chance says', () => {
    const batch = generateBatch(task, sizes, 4_000, new Random(2));
    const guess = batch.targets.find((target) => target !== IGNORE) as number;
    const counted = batch.targets.filter((target) => target !== IGNORE);
    const accuracy = counted.filter((target) => target === guess).length / counted.length;
    expect(accuracy).toBeCloseTo(task.chance(sizes), 1.5);
  });
});

test('the loss ignores what the tasks ignore', () => expect(IGNORE).toBe(IGNORED_BY_LOSS));
