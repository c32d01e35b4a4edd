import { decimate, positions, type Metric, type Series, type Window } from './series';
import { recall, remember } from '../../app/ui/stored';
import type { LessonRun } from './run.svelte';
import type { LessonSettings } from './settings.svelte';

/** [x, raw, smoothed, smoothed curve of the run before]. */
export type ChartData = [number[], (number | null)[], (number | null)[], (number | null)[]];

/** What a curve says at one step; undefined where it has no value. */
export interface Reading {
  readonly step: number;
  readonly raw: number | undefined;
  readonly smoothed: number | undefined;
  readonly previous: number | undefined;
}

const DEFAULT_SMOOTHING = 0.9;
/** A logarithm needs something above 0; float32 losses of a solved task can be 0. */
const LOG_FLOOR = 1e-6;

const defined = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value);

/** How both charts look at the run: smoothing, axis, the steps in view and the one under the crosshair. */
export class Charts {
  /** Weight of the past in the moving average; 0 draws the values as they came. */
  smoothing = $state(DEFAULT_SMOOTHING);
  logLoss = $state(recall('log-loss') === 'yes');
  /** First and last step in view; null for all. */
  range = $state.raw<readonly [number, number] | null>(null);
  /** Step under the crosshair. */
  cursor = $state<number | null>(null);

  readonly #run: LessonRun;
  readonly #settings: LessonSettings;

  constructor(run: LessonRun, settings: LessonSettings) {
    this.#run = run;
    this.#settings = settings;
    const stored = Number(recall('smoothing') ?? DEFAULT_SMOOTHING);
    if (stored >= 0 && stored < 1) this.smoothing = stored;
  }

  setSmoothing(weight: number): void {
    this.smoothing = weight;
    remember('smoothing', String(weight));
  }

  setLogLoss(on: boolean): void {
    this.logLoss = on;
    remember('log-loss', on ? 'yes' : 'no');
  }

  zoom(from: number, to: number): void {
    if (to > from) this.range = [from, to];
  }

  showAll(): void {
    this.range = null;
    this.cursor = null;
  }

  /** The run before, where it had the same task and preset: other curves say nothing of this one. */
  readonly comparable = $derived.by(() => {
    const { previous, settings } = this.#run;
    if (!previous || !settings) return null;
    const same = previous.settings.task === settings.task && previous.settings.preset === settings.preset;
    return same ? previous : null;
  });

  /** The first and the last step that a chart shows; before there are any, all that there may be. */
  readonly extent = $derived.by((): readonly [number, number] => {
    void this.#run.revision;
    if (this.range) return this.range;
    const { step, length } = this.#longest();
    return length > 1 ? [step.at(0), step.at(length - 1)] : [0, this.#settings.presetEntry.steps];
  });

  data(metric: Metric, width: number): ChartData {
    void this.#run.revision;
    const { series } = this.#run;
    const past = this.comparable?.series;
    const longest = this.#longest();
    const [first, last] = this.extent;
    const window: Window = {
      from: Math.max(0, longest.indexOf(first) - 1),
      to: Math.min(longest.length, longest.indexOf(last) + 2),
      points: width,
    };
    const curve = (of: Series): (number | null)[] =>
      this.#drawable(metric, decimate(of.smoothed[metric].values(this.smoothing), window));
    const x = positions(longest.step, window);
    const raw = this.#drawable(metric, decimate(series[metric], window));
    return [x, raw, curve(series), past ? curve(past) : x.map(() => null)];
  }

  /** The values at the crosshair, or the latest ones. */
  reading(metric: Metric): Reading {
    void this.#run.revision;
    const { series } = this.#run;
    const index = this.cursor === null ? series.length - 1 : this.#longest().indexOf(this.cursor);
    const past = this.comparable?.series;
    return {
      step: this.cursor ?? series.step.at(index),
      raw: defined(series[metric].at(index)),
      smoothed: defined(series.smoothed[metric].values(this.smoothing).at(index)),
      previous: past && defined(past.smoothed[metric].values(this.smoothing).at(index)),
    };
  }

  /** Moves the crosshair by a share of what is in view; from the end where there was none. */
  moveCursor(share: number): void {
    const [first, last] = this.extent;
    const from = this.cursor ?? last;
    this.cursor = Math.round(Math.min(Math.max(from + share * (last - first), first), last));
  }

  #longest(): Series {
    const { series } = this.#run;
    const past = this.comparable?.series;
    return past && past.length > series.length ? past : series;
  }

  #drawable(metric: Metric, values: (number | null)[]): (number | null)[] {
    if (metric !== 'loss' || !this.logLoss) return values;
    return values.map((value) => (value === null ? null : Math.max(value, LOG_FLOOR)));
  }
}
