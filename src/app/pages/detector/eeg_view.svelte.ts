import { messageOf } from '../../../base/text';
import { union, type SeizureEvent } from '../../../eeg/events/events';
import { readAnnotationFile } from '../../../eeg/files/annotations';
import type { EdfAnnotation } from '../../../eeg/files/edf/file';
import { isSeizure } from '../../../eeg/files/labels';
import type { SignalPage } from '../../../eeg/files/page';
import { inRecordedTime } from '../../../eeg/files/recorded_time';
import { SAMPLE_RATE } from '../../../eeg/signal/preprocess';
import type { Viewed } from './viewed';
import type { Overview, PageToDraw } from './draw';
import { applyMontage, displayFilter, LEAD_IN, MONTAGES, type MontageName } from './montage';

/** Seconds of a page, and µV of a millimetre, that can be chosen. */
export const SECONDS = [5, 10, 20, 30, 60, 120];
export const GAINS = [3, 5, 7, 10, 15, 20, 30, 50, 70, 100];

/** Seconds of the recording that are shown before an event that is jumped to. */
const BEFORE_EVENT = 8;

/** Which part of which recording is looked at, and how. */
export class EegPage {
  /** Seconds from the recording's first sample. */
  start = $state(0);
  seconds = $state(20);
  /** µV of a millimetre. */
  gain = $state(10);
  /** Hz; 0 is no filter. */
  high = $state(0.5);
  low = $state(70);
  line = $state(0);
  montage = $state<MontageName>('bipolar');
  signal = $state.raw<SignalPage | null>(null);
  /** What the recording itself holds as annotations. */
  marks = $state.raw<readonly EdfAnnotation[]>([]);
  /** A second set of events, of a file that was opened beside the recording. */
  others = $state.raw<{ readonly name: string; readonly events: readonly SeizureEvent[] } | null>(null);
  /** Why nothing can be shown. */
  problem = $state<string | null>(null);

  readonly recording = $derived.by(() => this.viewed.folder?.recordings[this.viewed.selected]);
  readonly duration = $derived(this.recording?.duration ?? 0);
  /** The start of the last page. */
  readonly last = $derived(Math.max(0, this.duration - this.seconds));
  readonly end = $derived(this.start + this.seconds);
  readonly reference = $derived(
    inRecordedTime(
      (this.recording?.seizures ?? []).map(({ from, to }) => ({
        start: from / SAMPLE_RATE,
        end: to / SAMPLE_RATE,
      })),
      this.recording?.segments ?? [],
    ),
  );
  readonly predicted = $derived.by(() => this.viewed.result?.predicted ?? []);
  readonly events = $derived(
    [
      ...this.reference.map((event) => ({ ...event, what: 'labelled' })),
      ...this.predicted.map((event) => ({ ...event, what: 'detected' })),
      ...(this.others?.events ?? []).map((event) => ({ ...event, what: this.others?.name ?? '' })),
    ].sort((a, b) => a.start - b.start),
  );
  readonly threshold = $derived.by(() => this.viewed.threshold);
  readonly #traces = $derived.by(() => {
    const { signal, montage, high, low, line: notch } = this;
    if (!signal) return [];
    const { labels } = signal;
    const traces = labels
      ? signal.channels.map((values, i) => ({ label: labels[i] ?? '', values }))
      : applyMontage(montage, signal.channels);
    return traces.map(({ label, values }) => ({
      label,
      values: displayFilter(values, signal.rate, { high, low, notch }),
    }));
  });
  readonly #probabilities = $derived.by(() => ({
    probabilities: this.viewed.probabilities?.probabilities ?? null,
    probabilityRate: this.viewed.probabilities?.rate ?? 1,
  }));

  #asked = 0;

  constructor(private readonly viewed: Viewed) {}

  /** What the page's canvas shows; null before there is a signal. */
  get page(): PageToDraw | null {
    const { signal, start, seconds, gain, reference, predicted, threshold, marks } = this;
    const others = this.others?.events ?? [];
    const { unpredicted } = this.viewed;
    if (!signal) return null;
    return {
      traces: this.#traces,
      rate: signal.rate,
      tracesFrom: signal.start,
      ...{ start, seconds, gain, reference, predicted, threshold, marks, others, unpredicted },
      ...this.#probabilities,
    };
  }

  get overview(): Overview {
    const { duration, start, seconds, reference, predicted } = this;
    const others = this.others?.events ?? [];
    return { duration, start, seconds, reference, predicted, others, ...this.#probabilities };
  }

  /** Reads what is shown, and what comes before it, so that the displayed filters have settled. */
  async read(): Promise<void> {
    const { start, seconds, recording } = this;
    const { selected, link } = this.viewed;
    if (!recording) return;
    const from = Math.max(0, start - LEAD_IN);
    const ticket = ++this.#asked;
    try {
      const signal = await link.call((worker) => worker.page(selected, from, start + seconds - from));
      if (ticket !== this.#asked) return;
      this.signal = signal;
      this.problem = null;
    } catch (error) {
      if (ticket === this.#asked) this.problem = messageOf(error);
    }
  }

  /** Reads the annotations that the recording itself holds. */
  async readMarks(): Promise<void> {
    const { recording } = this;
    const { selected, link } = this.viewed;
    this.marks = [];
    this.others = null;
    if (!recording?.annotated) return;
    const marks = await link.call((worker) => worker.annotations(selected)).catch(() => []);
    if (recording === this.recording) this.marks = marks;
  }

  /** Opens a file of events of the recording that is shown, to be seen beside its labels and the detected events. */
  async compare(file: File): Promise<void> {
    const { recording } = this;
    if (!recording) return;
    try {
      const read = readAnnotationFile(file.name, new Uint8Array(await file.arrayBuffer()), recording.path);
      if (!read) throw new Error(`${file.name} does not name ${recording.path}.`);
      const seizures = read.events.filter(({ label }) => isSeizure(label));
      this.others = {
        name: file.name,
        events: union(seizures.map(({ start, stop }) => ({ start, end: stop }))),
      };
      this.problem = null;
    } catch (error) {
      this.problem = messageOf(error);
    }
  }

  /** To the first seizure, if there is one. */
  showFirstSeizure(): void {
    const [first] = this.reference;
    this.start = first ? Math.max(0, Math.floor(first.start) - BEFORE_EVENT) : 0;
  }

  go(to: number): void {
    this.start = Math.min(this.last, Math.max(0, to));
  }

  /** By pages, of which there may be parts. */
  turn(pages: number): void {
    this.go(this.start + pages * this.seconds);
  }

  /** Shows what lies at a share of the recording. */
  goToShare(share: number): void {
    this.go(share * this.duration - this.seconds / 2);
  }

  goToEvent(start: number): void {
    this.go(start - BEFORE_EVENT);
  }

  /** So many seconds a page. */
  show(seconds: number): void {
    this.seconds = seconds;
    this.go(this.start);
  }

  /** To the next event, or to the one before. */
  jump(by: 1 | -1): void {
    const here = this.start + BEFORE_EVENT;
    const to =
      by > 0
        ? this.events.find(({ start }) => start > here + 0.5)
        : this.events.findLast(({ start }) => start < here - 0.5);
    if (to) this.goToEvent(to.start);
  }

  /** What a key does, as readers of EEG know it; false where it does nothing. */
  press({ key, shiftKey }: Pick<KeyboardEvent, 'key' | 'shiftKey'>): boolean {
    const actions: Partial<Record<string, () => void>> = {
      ArrowRight: () => (shiftKey ? this.go(this.start + 1) : this.turn(1 / 4)),
      ArrowLeft: () => (shiftKey ? this.go(this.start - 1) : this.turn(-1 / 4)),
      PageDown: () => this.turn(1),
      PageUp: () => this.turn(-1),
      Home: () => this.go(0),
      End: () => this.go(this.last),
      '+': () => this.#amplify(-1),
      '=': () => this.#amplify(-1),
      ArrowUp: () => this.#amplify(-1),
      '-': () => this.#amplify(1),
      ArrowDown: () => this.#amplify(1),
      '[': () => this.show(nextIn(SECONDS, this.seconds, -1)),
      ']': () => this.show(nextIn(SECONDS, this.seconds, 1)),
      n: () => this.jump(1),
      p: () => this.jump(-1),
      m: () =>
        (this.montage = MONTAGES[(MONTAGES.indexOf(this.montage) + 1) % MONTAGES.length] ?? this.montage),
    };
    actions[key]?.();
    return key in actions;
  }

  #amplify(by: 1 | -1): void {
    this.gain = nextIn(GAINS, this.gain, by);
  }
}

function nextIn(list: readonly number[], value: number, by: number): number {
  const at = list.findIndex((entry) => entry >= value);
  return list[Math.min(list.length - 1, Math.max(0, at + by))] ?? value;
}
