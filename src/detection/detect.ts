/** A detector with finished weights over recordings: probabilities, events, and scores where there are labels. */
import { DataError } from '../eeg/errors';
import type { SeizureEvent } from '../eeg/events/events';
import { EventFinder, type Postprocessing } from '../eeg/events/postprocess';
import { Stitcher } from '../eeg/events/stitch';
import { HighestInRecordedTime, inRecordedTime } from '../eeg/files/recorded_time';
import type { RecordingInfo } from '../eeg/files/recording';
import { scoreEvents, type ScoredSubject } from '../eeg/scores/score_events';
import type { PreparedCache } from '../eeg/signal/cache';
import type { Interpolation } from '../eeg/signal/channels';
import { SAMPLE_RATE } from '../eeg/signal/preprocess';
import { WindowsInOrder } from '../eeg/windows/blocks';
import type { OpenedFolder } from '../eeg/windows/dataset';
import { STRIDE, windowStarts, withoutWindow } from '../eeg/windows/windows';
import type { Device } from '../engine/device';
import { Parameters } from '../engine/packs';
import { frozenChoice, planProgram } from '../engine/plan';
import { Program } from '../engine/program';
import { storedChoice, type TuneMemory } from '../engine/tune';
import type { Mixer } from '../models/bimamba';
import { countParameters } from '../models/initialise';
import { isLost, SettingsError, toFailure, type Advice } from '../run/failure';
import type { WaitForGpu } from '../run/usable_device';
import { Owned } from '../run/owned';
import { evaluationGraph, stitchWindows, type Evaluator } from './evaluation';
import type { DetectionEvent, LeftOut, RecordingResult } from './protocol';
import { checkWeights, restoreWeights } from './restore';
import { configOf, type DetectorWeights } from './weights';

/** Hz of the probabilities that are shown. */
export const SHOWN_RATE = 4;

/** Windows that pass through the GPU together. */
const BATCH = 4;

export interface DetectionOptions {
  /** Called at the start, and again when that device was lost. */
  readonly device: (wait: WaitForGpu) => Promise<Device>;
  readonly weights: DetectorWeights;
  /** Which mixer is meant where the weights have both. */
  readonly mixer?: Mixer | undefined;
  readonly folder: Pick<OpenedFolder, 'files' | 'recordings'>;
  readonly postprocessing: Postprocessing;
  /** How a missing Fz or Pz is made up for. */
  readonly interpolation?: Interpolation | undefined;
  /** Samples between the starts of two windows. */
  readonly stride?: number;
  /** Holds long recordings while they are resampled; without it they are held in memory. */
  readonly cache?: PreparedCache | undefined;
  /** Which kernels were the fastest in trainings on this GPU; without it, or before one, the defaults are used. */
  readonly tuning?: TuneMemory | Promise<TuneMemory>;
  readonly emit: (event: DetectionEvent) => Promise<void> | void;
  /** Better advice than what is given on the page. */
  readonly advice?: Advice;
}

class Stopped extends Error {}

/** What `emit` threw, which is no fault of the detection. */
class NotTaken extends Error {}

interface Chosen {
  readonly recording: number;
  readonly info: RecordingInfo;
  readonly starts: readonly number[];
}

/** How often a detection continues after the GPU was lost. */
const MAX_RECOVERIES = 5;

export class Detection {
  #stopped = false;
  #skipped = false;

  constructor(private readonly options: DetectionOptions) {}

  async #emit(event: DetectionEvent): Promise<void> {
    try {
      await this.options.emit(event);
    } catch (error) {
      throw new NotTaken('', { cause: error });
    }
  }

  /** Asks for a GPU at once that is being waited for. */
  skip(): void {
    this.#skipped = true;
  }

  /** Ends the detection after the batch that is under way; what was detected until then was told. */
  stop(): void {
    this.#stopped = true;
  }

  /** Runs to the end. Never rejects, except for what `emit` throws: what goes wrong is the event `failed`. To be called once. */
  async run(): Promise<void> {
    const started = performance.now();
    const scored: ScoredSubject[] = [];
    let owned = new Owned();
    let last: DetectionEvent;
    const finished = (reason: 'completed' | 'stopped'): DetectionEvent => ({
      type: 'finished',
      reason,
      seconds: (performance.now() - started) / 1000,
      scores: scored.length > 0 ? scoreEvents(scored) : null,
    });
    try {
      let { chosen, evaluator } = await this.#prepare(owned, true);
      const total = chosen.reduce((sum, { starts }) => sum + starts.length, 0);
      const clock = new Clock(total);
      let lost = 0;
      for (let at = 0; at < chosen.length; at++) {
        const one = chosen[at] as Chosen;
        const { info } = one;
        const tell = (label: string, done: number): Promise<void> => {
          this.#turn();
          return this.#emit({ type: 'detecting', label: `${label} ${info.path}`, ...clock.at(done) });
        };
        try {
          const result = await this.#detect(one, evaluator, tell);
          clock.add(one.starts.length);
          if (info.labelled) scored.push(asScored(info, result));
          await this.#emit({ type: 'detected', result });
        } catch (error) {
          if (isLost(error) && lost++ < MAX_RECOVERIES) {
            // On another device from this recording on; those before it are done.
            owned.destroy();
            owned = new Owned();
            ({ chosen, evaluator } = await this.#prepare(owned, false));
            at--;
            continue;
          }
          if (!(error instanceof DataError)) throw error;
          clock.leaveOut(one.starts.length);
          await this.#emit({ type: 'unreadable', leftOut: { path: info.path, reason: error.message } });
        }
      }
      last = finished('completed');
    } catch (error) {
      if (error instanceof NotTaken) throw error.cause;
      last =
        error instanceof Stopped
          ? finished('stopped')
          : { type: 'failed', failure: toFailure(error, { ...ADVICE, ...this.options.advice }) };
    } finally {
      owned.destroy();
    }
    await this.options.emit(last);
  }

  /** Throws where the detection was stopped. */
  #turn(): void {
    if (this.#stopped) throw new Stopped();
  }

  /** `first`: whether the plan is told. */
  async #prepare(owned: Owned, first: boolean): Promise<{ chosen: readonly Chosen[]; evaluator: Evaluator }> {
    const { weights, mixer, folder, stride = STRIDE, tuning } = this.options;
    const config = configOf(weights, mixer);
    const leftOut: LeftOut[] = [];
    const chosen: Chosen[] = [];
    for (const [recording, info] of folder.recordings.entries()) {
      const reason = withoutWindow(info);
      if (reason === undefined) chosen.push({ recording, info, starts: windowStarts(info, stride) });
      else leftOut.push({ path: info.path, reason });
    }
    const total = chosen.reduce((sum, { starts }) => sum + starts.length, 0);
    const evaluation = evaluationGraph(config, Math.max(1, Math.min(BATCH, total)));
    checkWeights(evaluation, weights);
    for (const [name, { data }] of [...weights.parameters, ...weights.buffers])
      if (!data.every(Number.isFinite))
        throw new SettingsError(`the weights hold values that are no numbers, in ${name}`);
    const device = await this.options.device({
      waiting: ({ label, secondsLeft, skip }) => {
        this.#turn();
        void this.#emit({
          type: 'detecting',
          label,
          done: 0,
          total,
          secondsLeft: secondsLeft ?? undefined,
          ...(skip !== undefined && { skip }),
        });
      },
      skipped: () => {
        const skipped = this.#skipped;
        this.#skipped = false;
        return skipped;
      },
    });
    const outputs = [evaluation.probabilities];
    const choose = tuning ? storedChoice(device, await tuning) : frozenChoice;
    const plan = planProgram(evaluation.graph, device.capabilities, { outputs, choose });
    const packs = { training: false };
    if (first)
      await this.#emit({
        type: 'planned',
        config,
        parameters: countParameters(evaluation.declared),
        windows: total,
        recordings: chosen.map(({ recording }) => recording),
        leftOut,
        bytes: plan.bytes + Parameters.bytes(evaluation.graph, packs),
      });
    if (chosen.length === 0) throw new DataError('these recordings', 'windows', noneOf(leftOut));
    await this.#emit({
      type: 'detecting',
      label: 'compiling the kernels',
      done: 0,
      total,
      secondsLeft: undefined,
    });
    this.#turn();
    const parameters = owned.add(await Parameters.create(device, evaluation.graph, packs));
    const evaluating = owned.add(
      await Program.compile(device, evaluation.graph, { outputs, parameters, plan }),
    );
    restoreWeights({ parameters, declared: evaluation.declared }, weights);
    return { chosen, evaluator: { evaluating, evaluation } };
  }

  async #detect(
    { recording, info, starts }: Chosen,
    evaluator: Evaluator,
    tell: (label: string, done: number) => Promise<void>,
  ): Promise<RecordingResult> {
    const { folder, postprocessing, cache, interpolation = 'spline' } = this.options;
    const files = folder.files[recording];
    if (!files) throw new RangeError(`there is no recording ${recording}`);
    const finder = new EventFinder(postprocessing, SAMPLE_RATE, info.samples);
    const shown = new HighestInRecordedTime(info.segments, info.duration, SHOWN_RATE);
    const stitcher = new Stitcher(info.samples, (piece) => {
      finder.push(piece);
      shown.push(piece);
    });
    await tell('preparing', 0);
    const windows = new WindowsInOrder(files, { ...info, interpolation }, cache, () => this.#turn());
    try {
      await stitchWindows(
        evaluator,
        starts,
        (start, x) => windows.fill(start, x),
        stitcher,
        (done) => tell('detecting in', done),
      );
    } finally {
      await windows.close();
    }
    stitcher.finish();
    return {
      recording,
      rate: SHOWN_RATE,
      probabilities: shown.values,
      predicted: inRecordedTime(finder.finish(), info.segments),
      reference: referenceOf(info),
    };
  }
}

const ADVICE = {
  'out-of-memory': 'Close other tabs and programs that use the GPU, and start again.',
  'device-lost': 'Start again. If the GPU is lost again at the same place, update its driver.',
  settings: 'Choose other weights or another mixer.',
  data: 'Choose other recordings, and start again.',
} as const;

function noneOf(leftOut: readonly LeftOut[]): string {
  const [first] = leftOut;
  return first
    ? `the detector can take none of them; the first, ${first.path}: ${first.reason}`
    : 'there are none';
}

/** Labelled seizures in seconds of the recording, by the trainer's rounding to samples. */
const referenceOf = ({ seizures, segments }: RecordingInfo): SeizureEvent[] =>
  inRecordedTime(
    seizures.map(({ from, to }) => ({ start: from / SAMPLE_RATE, end: to / SAMPLE_RATE })),
    segments,
  );

const asScored = (
  { patient, duration }: RecordingInfo,
  { reference, predicted }: RecordingResult,
): ScoredSubject => ({ subject: patient, reference, predicted, seconds: duration });

/** The time left, by the windows that were done. */
class Clock {
  #before = 0;
  #started: number | undefined;

  constructor(private total: number) {}

  /** `done`: windows of the recording that is under way. */
  at(done: number): { done: number; total: number; secondsLeft: number | undefined } {
    const all = this.#before + done;
    const now = performance.now();
    this.#started ??= now;
    const secondsLeft = all === 0 ? undefined : ((now - this.#started) / 1000 / all) * (this.total - all);
    return { done: all, total: this.total, secondsLeft };
  }

  /** A recording of so many windows is done. */
  add(windows: number): void {
    this.#before += windows;
  }

  /** A recording of so many windows is not done after all. */
  leaveOut(windows: number): void {
    this.total -= windows;
  }
}
