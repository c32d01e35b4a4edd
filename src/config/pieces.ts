/** A text under edit as pieces of the original and what was inserted between them. */

/** Characters from `from` up to `to` of a text become `insert`. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

type Piece = string | Span;

const lengthOf = (piece: Piece): number => (typeof piece === 'string' ? piece.length : piece.to - piece.from);

const part = (piece: Piece, from: number, to: number): Piece =>
  typeof piece === 'string' ? piece.slice(from, to) : { from: piece.from + from, to: piece.from + to };

export class Pieces {
  #pieces: Piece[];

  constructor(private readonly original: string) {
    this.#pieces = [{ from: 0, to: original.length }];
  }

  get text(): string {
    return this.#pieces
      .map((piece) => (typeof piece === 'string' ? piece : this.original.slice(piece.from, piece.to)))
      .join('');
  }

  /** Its offsets are those of the text as it is now. */
  apply({ from, to, insert }: Edit): void {
    this.#pieces = [...this.#slice(0, from), insert, ...this.#slice(to, Infinity)].filter(
      (piece) => lengthOf(piece) > 0,
    );
  }

  /** Edits apart from each other, rising, all in the offsets of the text as it is now; in one pass. */
  applyAll(edits: readonly Edit[]): void {
    const made: Piece[] = [];
    const rest = [...this.#pieces].reverse();
    let at = 0;
    /** Moves pieces up to an offset, or drops them. */
    const upTo = (end: number, keep: boolean): void => {
      while (at < end) {
        const piece = rest.pop();
        if (piece === undefined) return;
        const length = lengthOf(piece);
        const taken = Math.min(length, end - at);
        if (keep) made.push(part(piece, 0, taken));
        if (taken < length) rest.push(part(piece, taken, length));
        at += taken;
      }
    };
    for (const { from, to, insert } of edits) {
      upTo(from, true);
      upTo(to, false);
      made.push(insert);
    }
    upTo(Infinity, true);
    this.#pieces = made.filter((piece) => lengthOf(piece) > 0);
  }

  #slice(from: number, to: number): Piece[] {
    let at = 0;
    return this.#pieces.flatMap((piece) => {
      const [start, end] = [at, (at += lengthOf(piece))];
      if (end <= from || start >= to) return [];
      return [part(piece, Math.max(from, start) - start, Math.min(to, end) - start)];
    });
  }

  /** What leads from the original to the text as it is now, in the original's offsets. */
  edits(): Edit[] {
    const edits: Edit[] = [];
    let [at, insert] = [0, ''];
    for (const piece of [...this.#pieces, { from: this.original.length, to: this.original.length }]) {
      if (typeof piece === 'string') {
        insert += piece;
        continue;
      }
      if (insert !== '' || piece.from > at) edits.push({ from: at, to: piece.from, insert });
      [at, insert] = [piece.to, ''];
    }
    return edits;
  }
}

/** A text with edits in its offsets, which rise and lie apart from each other. */
export const applyEdits = (text: string, edits: readonly Edit[]): string =>
  [...edits]
    .reverse()
    .reduce((made, { from, to, insert }) => made.slice(0, from) + insert + made.slice(to), text);
