/** Collects the metrics of steps and reports them a few times per second, with the speed of the last seconds. */

/** What one step measured, by name. */
export type StepMetrics<Name extends string> = Readonly<Record<'step' | Name, number>>;

/** Metrics of consecutive steps; arrays of equal length, `step` ascending. */
export type Metrics<Name extends string> = Readonly<Record<'step' | Name, Float64Array>>;

export interface Progress<Name extends string> {
  readonly metrics: Metrics<Name>;
  readonly stepsPerSecond: number;
  readonly secondsLeft: number;
}

/** Between two reports, in milliseconds. */
const INTERVAL = 150;
/** The speed is that of the last seconds, in milliseconds. */
const WINDOW = 3000;

interface Mark {
  readonly step: number;
  readonly time: number;
}

export class ProgressReporter<Name extends string> {
  #waiting: StepMetrics<Name>[] = [];
  #marks: Mark[] = [];
  #lastReport = 0;
  #lastStep = 0;
  #active = 0;
  #resumed: number | undefined;

  /** `names` are the metrics of a step, `steps` those of the whole run; `now` is a clock in milliseconds. */
  constructor(
    private readonly names: readonly Name[],
    private readonly steps: number,
    private readonly report: (progress: Progress<Name>) => void,
    private readonly now: () => number,
  ) {}

  /** Training runs from here on. */
  start(): void {
    const time = this.now();
    this.#resumed = time;
    this.#lastReport = time;
    this.#marks = [{ step: this.#lastStep, time }];
  }

  /** Training rests: reports what is waiting, and stops the clock. */
  stop(): void {
    this.flush();
    this.#active = this.seconds;
    this.#resumed = undefined;
  }

  /** Seconds of training, rests not counted. */
  get seconds(): number {
    return this.#active + (this.#resumed === undefined ? 0 : (this.now() - this.#resumed) / 1000);
  }

  record(metrics: StepMetrics<Name>): void {
    this.#waiting.push(metrics);
    this.#lastStep = metrics.step;
    if (this.now() - this.#lastReport >= INTERVAL) this.flush();
  }

  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const stepsPerSecond = this.#speed();
    const columns = (['step', ...this.names] as const).map(
      (name) => [name, Float64Array.from(waiting, (metrics) => metrics[name])] as const,
    );
    this.report({
      metrics: Object.fromEntries(columns) as Metrics<Name>,
      stepsPerSecond,
      secondsLeft: (this.steps - this.#lastStep) / stepsPerSecond,
    });
  }

  #speed(): number {
    const time = this.now();
    this.#lastReport = time;
    this.#marks.push({ step: this.#lastStep, time });
    // The oldest mark stays until the one after it is old enough to take its place.
    while (this.#marks.length > 2 && time - (this.#marks[1] as Mark).time >= WINDOW) this.#marks.shift();
    const oldest = this.#marks[0] as Mark;
    return ((this.#lastStep - oldest.step) * 1000) / Math.max(time - oldest.time, 0.1);
  }
}
