import type { FolderReport, Listed } from '../../../training/protocol';
import type { DroppedFile, Unread } from '../../ui/dropped';
import { EventPort } from '../../ui/event_port';
import type { EegLink } from './link';
import { rememberedTexts, rememberTexts } from './seizure_texts';

/** How many files, or what was found of them, are handed over at a time: thousands at once block the page for seconds. */
const PART = 500;

/** What files are opened as recordings. */
export interface Chosen {
  readonly files: readonly DroppedFile[];
  /** Only so many recordings, the first by path; null takes all. */
  readonly limit: number | null;
  /** Files that the browser could not read. */
  readonly unread: Unread;
}

/** Looks at recordings, one after the other, in the worker. */
export class Listing {
  /** How far it is; null while it does not count. */
  progress = $state.raw<Listed | null>(null);
  /** Annotations of EDF+ that are seizures, as they were chosen in this browser. */
  texts = $state.raw<readonly string[]>(rememberedTexts());
  readonly #events = new EventPort<Listed>();
  #stopped = false;
  #last: Chosen | undefined;

  constructor(private readonly link: EegLink) {}

  /** null where it was stopped. */
  async open(chosen: Chosen): Promise<FolderReport | null> {
    this.#stopped = false;
    const { files, limit, unread } = chosen;
    const texts = [...this.texts];
    try {
      for (let from = 0; from < files.length && !this.#stopped; from += PART)
        await this.link.call((worker) => worker.offer(files.slice(from, from + PART), from === 0));
      if (this.#stopped) return null;
      const port = this.#events.open((listed) => (this.progress = listed));
      const opened = await this.link.call((worker) => worker.open(port, limit ?? undefined, texts));
      if (!opened) return null;
      const recordings: FolderReport['recordings'][number][] = [];
      const rejected: Unread[number][] = [];
      for (let from = 0; from < Math.max(opened.recordings, opened.rejected); from += PART) {
        const part = await this.link.call((worker) => worker.listed(from, from + PART));
        recordings.push(...part.recordings);
        rejected.push(...part.rejected);
      }
      this.#last = chosen;
      return { recordings, rejected: [...rejected, ...unread], synthetic: false };
    } finally {
      this.#events.close();
      this.progress = null;
    }
  }

  /** What was opened last, once more; undefined where nothing was. */
  get again(): (() => Promise<FolderReport | null>) | undefined {
    const last = this.#last;
    return last && (() => this.open(last));
  }

  /** Remembers which annotations are seizures. */
  chooseTexts(texts: readonly string[]): void {
    this.texts = texts;
    rememberTexts(texts);
  }

  /** The listing that is under way is given up. */
  stop(): void {
    this.#stopped = true;
  }
}
