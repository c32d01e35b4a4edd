import { exampleSequence, findPreset, IGNORE, tokenWords, type TokenWord } from '../loop/catalogue';
import type { Preview } from '../loop/protocol';
import type { LessonRun } from './run.svelte';
import type { LessonSettings } from './settings.svelte';

export interface Cell {
  readonly index: number;
  readonly word: TokenWord;
  /** null where nothing is asked. */
  readonly target: string | null;
  /** null where nothing is asked or nothing was predicted yet. */
  readonly output: string | null;
  readonly correct: boolean;
  /** Δ of the chosen layer; null before the first preview. */
  readonly delta: number | null;
  /** Share of the scale's top, 0..1. */
  readonly height: number;
}

const NARROWEST = 20;
const WIDEST = 56;
/** Longer sequences have only the columns in view in the page. */
const ALL_COLUMNS = 320;
const MARGIN_COLUMNS = 12;

/** A number that is easy to read, at least `value` and little more. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((top) => top >= value) ?? value;
}

const UNKNOWN: TokenWord = { kind: 'noise', text: '' };

/** The sequence under the charts: an example of the chosen task, or the one that the run shows. */
export class SequenceView {
  /** null until the person chooses: the last layer, whose state has to keep what the answers need. */
  layer = $state<number | null>(null);
  /** Number of the example; 0 is the sequence that a run will show. */
  example = $state(0);
  /** Column that the person points at. */
  cursor = $state<number | null>(null);
  /** Width and position of the scrolled region, in CSS pixels; the component keeps them. */
  regionWidth = $state(0);
  scrolled = $state(0);
  /** Of the column that names the rows. */
  readonly labelWidth = 62;

  readonly #run: LessonRun;
  readonly #settings: LessonSettings;

  constructor(run: LessonRun, settings: LessonSettings) {
    this.#run = run;
    this.#settings = settings;
  }

  readonly #choice = $derived.by(() => {
    const { settings, preview } = this.#run;
    const { task, preset } = this.#settings;
    const showsRun = settings?.task === task && settings.preset === preset && preview !== null;
    return { task, preset, preview: showsRun ? preview : null };
  });

  readonly preview: Preview | null = $derived(this.#choice.preview);
  readonly #words = $derived(tokenWords(this.#choice));
  readonly #sequence = $derived(this.preview ?? exampleSequence(this.#choice, this.example));
  readonly preset = $derived(findPreset(this.#choice));
  readonly length = $derived(this.#sequence.tokens.length);
  readonly layers = $derived(this.preview?.delta.length ?? this.preset.layers);
  readonly shownLayer = $derived(Math.min(this.layer ?? Infinity, this.layers - 1));
  readonly #delta = $derived(this.preview?.delta[this.shownLayer] ?? null);
  /** Top of the Δ scale. */
  readonly top = $derived(this.#delta ? ceiling(Math.max(1e-4, ...this.#delta)) : null);

  /** Room for columns that is in sight. */
  readonly available = $derived(Math.max(0, this.regionWidth - this.labelWidth - 1));
  readonly columnWidth = $derived(Math.min(Math.max(this.available / this.length, NARROWEST), WIDEST));
  /** First and one after the last column that the page holds. */
  readonly inPage = $derived.by((): readonly [number, number] => {
    if (this.length <= ALL_COLUMNS) return [0, this.length];
    const from = Math.floor(this.scrolled / this.columnWidth) - MARGIN_COLUMNS;
    const to = from + Math.ceil(this.available / this.columnWidth) + 2 * MARGIN_COLUMNS;
    return [Math.max(0, from), Math.min(this.length, Math.max(to, MARGIN_COLUMNS))];
  });
  readonly width = $derived(this.length * this.columnWidth);
  readonly overflows = $derived(this.width > this.available + 1);
  readonly spaceBefore = $derived(this.inPage[0] * this.columnWidth);
  readonly spaceAfter = $derived((this.length - this.inPage[1]) * this.columnWidth);

  readonly cells = $derived.by(() => {
    const [from, to] = this.inPage;
    return Array.from({ length: to - from }, (_, i) => this.#cell(from + i));
  });

  readonly pointed = $derived(
    this.cursor === null || this.cursor >= this.length ? null : this.#cell(this.cursor),
  );

  readonly asked = $derived(this.#sequence.targets.reduce((n, target) => n + Number(target !== IGNORE), 0));
  readonly correct = $derived.by(() => {
    const { preview } = this;
    if (!preview) return null;
    const { targets, predicted } = preview;
    return targets.reduce((n, target, i) => n + Number(target !== IGNORE && target === predicted[i]), 0);
  });

  /** The smallest and the largest Δ of the sequence. */
  readonly deltaRange = $derived(
    this.#delta && { min: Math.min(...this.#delta), max: Math.max(...this.#delta) },
  );

  /** Where the region has to be scrolled for the last answer to stand at its right edge. */
  readonly scrollToAnswers = $derived.by(() => {
    const last = this.#sequence.targets.findLastIndex((target) => target !== IGNORE);
    return Math.max(0, (last + 1) * this.columnWidth - this.available);
  });

  /** First column with an answer at or after the one pointed at; the first of all where there is none. */
  nextAnswer(): number {
    const { targets } = this.#sequence;
    const next = targets.findIndex((target, i) => target !== IGNORE && i > (this.cursor ?? -1));
    return next >= 0 ? next : targets.findIndex((target) => target !== IGNORE);
  }

  /** Points at the column that a key leads to; false where the key leads nowhere. */
  pointByKey(key: string): boolean {
    const from = this.cursor ?? -1;
    const columns: Partial<Record<string, number>> = {
      ArrowRight: from + 1,
      ArrowLeft: from - 1,
      Home: 0,
      End: this.length - 1,
    };
    const column = columns[key];
    if (column !== undefined) this.point(column);
    return column !== undefined;
  }

  /** The scroll position nearest to the present one at which the column is in sight. */
  scrollFor(column: number): number {
    const left = column * this.columnWidth;
    const right = left + this.columnWidth - this.available;
    return Math.min(Math.max(this.scrolled, right), left);
  }

  point(column: number): void {
    this.cursor = Math.min(Math.max(column, 0), this.length - 1);
  }

  anotherExample(): void {
    this.example++;
    this.cursor = null;
  }

  #cell(index: number): Cell {
    const { tokens, targets } = this.#sequence;
    const word = (token: number | undefined): TokenWord => this.#words[token ?? -1] ?? UNKNOWN;
    const target = targets[index];
    const isAsked = target !== IGNORE;
    const output = this.preview?.predicted[index];
    const delta = this.#delta?.[index] ?? null;
    return {
      index,
      word: word(tokens[index]),
      target: isAsked ? word(target).text : null,
      output: isAsked && output !== undefined ? word(output).text : null,
      correct: isAsked && output === target,
      delta,
      height: delta !== null && this.top ? delta / this.top : 0,
    };
  }
}
