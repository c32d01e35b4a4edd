/** What the page knows of the tasks before a run: names, presets, words for tokens, and an example of each. */
import { Random } from '../../base/random';
import { tasks } from '../tasks';
import {
  evaluationBatch,
  generateBatch,
  IGNORE,
  type PresetName,
  type Task,
  type TokenKind,
} from '../tasks/task';
import type { Preview, RunSettings } from './protocol';

export { IGNORE };

export interface PresetEntry {
  readonly name: PresetName;
  readonly label: string;
  /** What it is for and what to expect. */
  readonly note: string;
  /** Tokens of a sequence. */
  readonly length: number;
  readonly vocabulary: number;
  readonly answers: number;
  readonly dModel: number;
  readonly layers: number;
  readonly steps: number;
  readonly batch: number;
  /** Accuracy of guessing without having looked, 0..1. */
  readonly chance: number;
}

export interface TaskEntry {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly citation: Task['citation'];
  readonly presets: readonly PresetEntry[];
}

export interface DynamicsEntry {
  readonly name: RunSettings['dynamics'];
  readonly label: string;
  readonly note: string;
}

const PRESETS: readonly PresetName[] = ['quick', 'tiny', 'published'];

function presetEntry(task: Task, name: PresetName): PresetEntry {
  const { label, note, sizes, model, training } = task.presets[name];
  const { dModel, layers } = model;
  const { steps, batch } = training;
  return { name, label, note, ...sizes, dModel, layers, steps, batch, chance: task.chance(sizes) };
}

export const catalogue: readonly TaskEntry[] = Object.values(tasks).map((task: Task) => ({
  id: task.id,
  name: task.name,
  description: task.description,
  citation: task.citation,
  presets: PRESETS.map((name) => presetEntry(task, name)),
}));

export const dynamics: readonly DynamicsEntry[] = [
  {
    name: 'selective',
    label: 'Selective',
    note: 'Δ, B and C follow from each token, so the model can decide what to let in. This is Mamba.',
  },
  {
    name: 'delta-frozen',
    label: 'Δ frozen',
    note:
      'Δ is learned but the same for every token: the state forgets at one pace, whatever it reads. ' +
      'Where this fails and Selective succeeds, it was the choosing that did it.',
  },
  {
    name: 'time-invariant',
    label: 'Time-invariant',
    note:
      'Δ, B and C are learned constants, as in S4: a fixed filter that cannot look at a token before it decides. ' +
      'It shows what the papers before Mamba could not do.',
  },
];

/** The quick preset of the first task: what the button starts when nobody chose anything. */
export const defaults: RunSettings = {
  task: 'selective_copying',
  preset: 'quick',
  dynamics: 'selective',
  seed: 1,
};

type Choice = Pick<RunSettings, 'task' | 'preset'>;

/** Throws RangeError for an unknown name. */
export function findTask({ task: id }: Pick<Choice, 'task'>): TaskEntry {
  const task = catalogue.find((entry) => entry.id === id);
  if (!task) throw new RangeError(`there is no task "${id}"`);
  return task;
}

/** Throws RangeError for an unknown name. */
export function findPreset(choice: Choice): PresetEntry {
  const preset = findTask(choice).presets.find(({ name }) => name === choice.preset);
  if (!preset) throw new RangeError(`${choice.task} has no preset "${choice.preset}"`);
  return preset;
}

function source(choice: Choice): Task {
  const { id } = findTask(choice);
  return Object.values(tasks).find((task: Task) => task.id === id) as Task;
}

/** The sequence that a run of this choice shows (number 0), or another one like it. */
export function exampleSequence(choice: Choice, number: number): Pick<Preview, 'tokens' | 'targets'> {
  const { length, vocabulary, answers } = findPreset(choice);
  const sizes = { length, vocabulary, answers };
  if (number === 0) return evaluationBatch(source(choice), sizes, 1);
  return generateBatch(source(choice), sizes, 1, new Random(number).stream('example'));
}

export interface TokenWord {
  readonly kind: TokenKind;
  /** One or two characters. */
  readonly text: string;
}

/** What each token of the vocabulary is called and looks like. */
export function tokenWords(choice: Choice): readonly TokenWord[] {
  const { length, vocabulary, answers } = findPreset(choice);
  const task = source(choice);
  return Array.from({ length: vocabulary }, (_, token) =>
    task.describeToken(token, { length, vocabulary, answers }),
  );
}
