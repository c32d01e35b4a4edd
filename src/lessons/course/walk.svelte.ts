import { proxy } from 'comlink';
import { messageOf } from '../../base/text';
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { Link } from '../../app/ui/link';
import { presentation } from '../../app/ui/presentation.svelte';
import type { CourseWorker } from './protocol';
import { understood, type LessonPlan, type Measured, type Settings, type Step } from './step';

export const SEEDS = [1, 2, 3, 4, 5] as const;

/** One worker computes all lessons. */
const link = new Link<CourseWorker>(
  () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }),
);

/** Asks the worker for one of a lesson's measures. */
export const measure = (
  lesson: string,
  name: string,
  settings: Settings,
  progress: (share: number) => void = () => undefined,
): Promise<Measured> => link.call((worker) => worker.measure(lesson, name, { ...settings }, proxy(progress)));

/** A measurement that was asked for. */
class Asked {
  measured = $state.raw<Measured | undefined>();
  problem = $state<string | undefined>();
  /** Of long work, 0 to 1. */
  share = $state(0);

  constructor(lesson: string, step: string, settings: Settings) {
    measure(lesson, step, settings, (share) => void (this.share = share))
      .then((measured) => (this.measured = measured))
      .catch((error: unknown) => (this.problem = messageOf(error)));
  }
}

/** How one learner goes through a lesson: the step, its settings, the guesses, and what was measured. */
export class Walk {
  /** From 0. */
  at = $state(0);
  /** Why nothing runs on kernels here, once it is known. */
  withoutKernels = $state<string | null>(null);
  #opened = false;
  #settings = $state.raw<Settings>({});
  readonly #guesses = new SvelteMap<string, readonly number[]>();
  readonly #revealed = new SvelteSet<string>();
  readonly #asked = new SvelteMap<string, Asked>();

  constructor(readonly plan: LessonPlan) {
    void link
      .call((worker) => worker.withoutKernels())
      .then((reason) => (this.withoutKernels = reason))
      .catch(() => undefined);
  }

  readonly step: Step = $derived.by(() => this.plan.steps[this.at] as Step);
  readonly guess = $derived.by(() => this.#guesses.get(this.step.id) ?? []);
  readonly revealed = $derived.by(() => this.#revealed.has(this.step.id));
  readonly settings: Settings = $derived.by(() => this.#settingsOf(this.step));
  readonly asked = $derived.by(() => this.#asked.get(this.#key(this.step)));
  /** What is shown: nothing before the guess. */
  readonly measured = $derived.by(() => (this.revealed ? this.asked?.measured : undefined));

  readonly complete = $derived.by(() => {
    const { guess } = this.step;
    return guess.kind === 'numbers'
      ? this.guess.length === guess.count && this.guess.every((value) => Number.isFinite(value))
      : guess.many || this.guess.length === 1;
  });

  readonly understood = $derived.by(
    () => this.measured !== undefined && understood(this.guess, this.measured.answer),
  );

  /** Reads step and settings from an address, `2?seed=1`, and starts to measure behind the question. */
  open(place: string, query: string): void {
    const number = Number(place);
    const known = Number.isInteger(number) && number >= 1 && number <= this.plan.steps.length;
    this.at = known ? number - 1 : 0;
    const parameters = new URLSearchParams(query);
    // A way back through steps that were presented does not present again.
    if (parameters.has('present') && !this.#opened) presentation.set(true);
    this.#opened = true;
    const settings: Record<string, number> = {};
    for (const [name, text] of parameters) if (Number.isFinite(Number(text))) settings[name] = Number(text);
    this.#settings = settings;
    this.ask();
    const next = this.plan.steps[this.at + 1];
    if (next) this.#ask(next);
  }

  /** Behind the page's own part: step and what differs from the defaults. The guess is not in it. */
  address(at = this.at, present = presentation.on): string {
    const query = new URLSearchParams();
    const step = this.plan.steps[at] as Step;
    const settings = this.#settingsOf(step);
    for (const [name, value] of Object.entries(settings))
      if (value !== this.#defaults(step)[name]) query.set(name, String(value));
    if (present) query.set('present', '');
    const text = query.toString().replace(/=(?=&|$)/g, '');
    return `${this.plan.name}/${at + 1}${text && `?${text}`}`;
  }

  ask(): void {
    this.#ask(this.step);
  }

  retry(): void {
    this.#asked.delete(this.#key(this.step));
    this.ask();
  }

  set(name: string, value: number): void {
    this.#settings = { ...this.#settings, [name]: value };
    this.ask();
  }

  setGuess(guess: readonly number[]): void {
    this.#guesses.set(this.step.id, guess);
    // A transfer answer is tried until it is understood.
    if (this.step.transfer) this.#revealed.delete(this.step.id);
  }

  reveal(): void {
    if (!this.complete) return;
    this.#revealed.add(this.step.id);
  }

  #defaults(step: Step): Settings {
    const controls = (step.controls ?? []).map(({ name, initial }) => [name, initial] as const);
    return Object.fromEntries(step.seeded ? [['seed', SEEDS[0]], ...controls] : controls);
  }

  /** The step's settings as the address and the sliders say, within their bounds. */
  #settingsOf(step: Step): Settings {
    const settings: Record<string, number> = { ...this.#defaults(step) };
    const { seed } = this.#settings;
    if (step.seeded && SEEDS.some((known) => known === seed)) settings['seed'] = seed as number;
    for (const { name, min, max, values } of step.controls ?? []) {
      const value = this.#settings[name];
      const allowed =
        value !== undefined && value >= min && value <= max && (values?.includes(value) ?? true);
      if (allowed) settings[name] = value;
    }
    return settings;
  }

  #key(step: Step): string {
    return JSON.stringify([step.id, this.#settingsOf(step)]);
  }

  #ask(step: Step): void {
    const key = this.#key(step);
    if (this.#asked.has(key)) return;
    this.#asked.set(key, new Asked(this.plan.name, step.id, this.#settingsOf(step)));
  }
}
