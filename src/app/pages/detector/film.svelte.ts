/** What a run has said, step by step, of a part of a recording: for the strip below the traces, and for the filmstrip. */
import type { RecordingResult } from '../../../detection/protocol';
import type { FolderReport, Glimpse, Watched } from '../../../training/protocol';
import type { EegLink } from './link';

export type FilmRow = Glimpse & { readonly step: number };

/** Often enough to see it learn; a look costs about a third of a step. */
const EVERY_STEPS = 5;

type Newest = Pick<RecordingResult, 'rate' | 'probabilities'>;

interface Predicted {
  /** Of the selected recording, in the last validation. */
  readonly result: Newest | undefined;
  readonly report: { readonly validations: readonly { readonly step: number }[] };
  readonly selected: number;
  readonly folder: Pick<FolderReport, 'recordings'> | null;
}

export class Film {
  /** Of the run that is under way or was last. */
  rows = $state.raw<readonly FilmRow[]>([]);
  /** The part that is filmed from the run's start to its end; null where it looks at what the person looks at. */
  fixed = $state.raw<Watched | null>(null);
  /** The same of the run that starts next. */
  next: Watched | null = null;
  #looked: Watched | null = null;

  constructor(private readonly link: EegLink) {}

  /** What is looked at now. */
  look(part: Omit<Watched, 'everySteps'>): void {
    this.#looked = { ...part, everySteps: EVERY_STEPS };
    if (!this.fixed) void this.#watch().catch(() => undefined); // a worker that broke is reported by what needs it
  }

  /** To be called before a run starts: recordings that were opened have ended what was watched. */
  start(): void {
    this.rows = [];
    this.fixed = this.next;
    this.next = null;
    void this.#watch().catch(() => undefined);
  }

  take(row: FilmRow): void {
    this.rows = [...this.rows, row];
  }

  /**
   * What is known of the selected recording: the last validation's probabilities, and over them what was said since of a
   * part. NaN where nothing was.
   */
  over({ result, report: { validations }, selected, folder }: Predicted): Newest | undefined {
    const duration = folder?.recordings[selected]?.duration ?? 0;
    const row = this.rows.findLast((one) => one.recording === selected);
    if (!row || row.step <= (validations.at(-1)?.step ?? -1)) return result;
    const length = Math.ceil(duration * row.rate);
    const probabilities = result?.probabilities.slice() ?? new Float32Array(length).fill(NaN);
    const at = Math.round(row.start * row.rate);
    probabilities.set(row.probabilities.subarray(0, length - at), at);
    return { rate: row.rate, probabilities };
  }

  #watch(): Promise<void> {
    const part = this.fixed ?? this.#looked;
    return this.link.call((worker) => worker.watch(part));
  }
}
