import { messageOf } from '../../../base/text';
import { savePng, saveSvg, type Drawing } from '../../ui/picture';
import { Player } from '../../ui/player.svelte';
import type { Colours, PageToDraw } from '../detector/draw';
import { applyMontage } from '../detector/montage';
import { drawPoster, POSTER_WIDTH, posterHeight, type FilmToDraw, type Poster } from './draw_film';
import { channelsOf, rowsOf, type FilmRow, type Recorded } from './recorded';
import RECORDED from './recorded.json?url';

/** µV of a millimetre: the seizure does not cover its neighbours. */
const GAIN = 25;

/** The recorded run, and how far it has been played. */
export class Demo {
  recorded = $state.raw<Recorded | null>(null);
  problem = $state<string | null>(null);
  /** Plays over the steps of the run. */
  readonly player = new Player();

  readonly rows = $derived(this.recorded ? rowsOf(this.recorded) : []);
  /** Asked for before the page is drawn. */
  readonly #answer = fetch(RECORDED);
  readonly #traces = $derived(this.recorded ? applyMontage('bipolar', channelsOf(this.recorded)) : []);
  /** The newest row that is whole. */
  readonly row = $derived(this.rows.findLast(({ step }) => step <= this.player.at));
  /** The newest validation. */
  readonly scores = $derived(this.recorded?.validations.findLast(({ step }) => step <= this.player.at));

  /** `step`: shows that one and does not play. */
  async load(step: number | undefined): Promise<void> {
    try {
      const response = await this.#answer;
      if (!response.ok) throw new Error(`the server answers ${response.status}`);
      const recorded = (await response.json()) as Recorded;
      this.recorded = recorded;
      this.player.start(recorded.steps);
      if (step !== undefined) this.player.seek(step);
    } catch (error) {
      this.problem = `The recorded run could not be loaded: ${messageOf(error)}. Reload the page to try again.`;
    }
  }

  /** The traces, with what `row` says of them below. */
  page(recorded: Recorded, row: FilmRow | undefined): PageToDraw {
    const { seconds, eeg, reference, threshold, film } = recorded;
    return {
      traces: this.#traces,
      rate: eeg.rate,
      tracesFrom: 0,
      start: 0,
      seconds,
      gain: GAIN,
      reference,
      predicted: [],
      others: [],
      marks: [],
      unpredicted: '',
      probabilities: row?.probabilities ?? null,
      probabilityRate: film.rate,
      threshold,
    };
  }

  film(
    { steps, film, seconds, reference }: Recorded,
    rows: readonly FilmRow[],
    scores: FilmToDraw['scores'],
    until = steps,
  ): FilmToDraw {
    return { rows, count: film.rows.length, rate: film.rate, seconds, reference, scores, until };
  }

  async savePng(poster: Poster, colours: Colours): Promise<void> {
    try {
      await savePng(this.#drawing(poster, colours));
    } catch (error) {
      this.problem = messageOf(error);
    }
  }

  saveSvg(poster: Poster, colours: Colours): void {
    saveSvg(this.#drawing(poster, colours));
  }

  #drawing(poster: Poster, colours: Colours): Drawing {
    return {
      name: 'filmstrip',
      width: POSTER_WIDTH,
      height: posterHeight(poster),
      draw: (pen) => drawPoster(pen, poster, colours),
    };
  }
}
