import { fileName } from '../../../base/text';
import type { EditorState } from '@codemirror/state';
import type { TargetName } from '../../../config/targets';
import { bytesOf, describeText, type FileText } from './file_text';
import type { Inspection } from './inspection';

/** A file as it is kept in the browser. */
export interface KeptFile extends FileText {
  readonly id: string;
  readonly path: string;
  readonly target: TargetName;
  /** Id of the file that this one was made from. */
  readonly base?: string;
  /** A few words for the comparison, as “A100 on Modal”. */
  readonly purpose?: string;
  /** The text when it was opened or saved last. */
  readonly saved: string;
  readonly created: number;
}

/** An open file: its text, how its bytes are written, and what is known of it. */
export class OpenFile {
  /** Another one where another tab has kept another text for it. */
  id = $state('');
  readonly created: number;
  readonly newline: FileText['newline'];
  readonly mixed: boolean;
  readonly mark: boolean;
  readonly purpose: string | undefined;
  path = $state('');
  target = $state<TargetName>('local');
  base = $state<string | undefined>();
  /** The text of the last inspection or save; `state` may be a moment ahead. */
  text = $state.raw('');
  saved = $state.raw('');
  inspection = $state.raw<Inspection | undefined>();
  /** The last inspection of a text that the trainer's reader accepts. */
  good = $state.raw<Inspection | undefined>();
  /** CodeMirror's state with selection and history, while the file is open. */
  state: EditorState;
  /** Runs until what was typed last is kept and inspected. */
  unsettled: ReturnType<typeof setTimeout> | undefined;

  readonly modified = $derived(this.text !== this.saved);
  readonly issues = $derived(this.inspection?.issues ?? []);
  readonly broken = $derived(this.inspection?.readable === false);
  readonly name = $derived(fileName(this.path));
  /** “BOM, CRLF”. */
  readonly writing: string;

  constructor(kept: KeptFile, state: EditorState) {
    this.id = kept.id;
    this.created = kept.created;
    this.newline = kept.newline;
    this.mixed = kept.mixed;
    this.mark = kept.mark;
    this.path = kept.path;
    this.target = kept.target;
    this.base = kept.base;
    this.purpose = kept.purpose;
    this.text = kept.text;
    this.saved = kept.saved;
    this.state = state;
    this.writing = describeText(kept);
  }

  /** What the editor holds now. */
  get current(): string {
    return this.state.doc.toString();
  }

  /** Whether it has this path and would be saved as the bytes of that file. */
  holds(path: string, { text, newline, mixed, mark }: FileText): boolean {
    const alike = this.newline === newline && this.mixed === mixed && this.mark === mark;
    return this.path === path && alike && this.current === text;
  }

  /** A text as this file's bytes are written. */
  bytesOf(text: string): Uint8Array<ArrayBuffer> {
    return bytesOf({ text, newline: this.newline, mixed: this.mixed, mark: this.mark });
  }

  get kept(): KeptFile {
    const { id, path, target, saved, created, newline, mixed, mark } = this;
    const more = {
      ...(this.base !== undefined && { base: this.base }),
      ...(this.purpose !== undefined && { purpose: this.purpose }),
    };
    return { id, path, target, saved, created, newline, mixed, mark, ...more, text: this.current };
  }

  learn(inspection: Inspection): void {
    this.inspection = inspection;
    if (inspection.readable) this.good = inspection;
  }
}
