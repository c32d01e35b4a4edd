import { redo, undo } from '@codemirror/commands';
import { setDiagnostics } from '@codemirror/lint';
import { EditorState, type Extension, type TransactionSpec } from '@codemirror/state';
import { EditorView, type ViewUpdate } from '@codemirror/view';
import type { Remote } from 'comlink';
import { SvelteSet } from 'svelte/reactivity';
import type { Change } from '../../../config/change';
import type { Edit } from '../../../config/edit';
import { EXAMPLE, PRESETS } from '../../../config/presets';
import type { Place } from '../../../config/pyyaml';
import type { Compared } from '../../../handoff/matrix';
import { targetOf, type TargetName } from '../../../config/targets';
import { recall, remember } from '../../ui/stored';
import { aboutAt, type About } from './editor/about';
import { diagnosticsOf, extensions, lineEnds } from './editor/extensions';
import { cleanPath, freePath, linesOf, type FileText } from './file_text';
import { Figures } from './figures.svelte';
import type { Edits } from '../../../config/fixing';
import { current, roundsOf } from './inspecting';
import type { Issue } from '../../../config/issues';
import { InspectorLink, unanswered } from './inspector';
import { forget, keep, keptFiles } from './kept';
import { OpenFile, type KeptFile } from './open_file.svelte';
import type { Opening } from './opening';
import type { Inspector } from './worker';

/** Between the last letter and the inspection. */
const SETTLE_MILLISECONDS = 150;

/** The open files, the one that is looked at, and the editor that shows it. */
export class Workspace {
  files = $state.raw<readonly OpenFile[]>([]);
  active = $state.raw<OpenFile | undefined>();
  /** What a person has to know; each is dismissed by its own button. */
  notices = $state.raw<readonly string[]>([]);
  closed = $state.raw<KeptFile | undefined>();
  /** Offset of the cursor in the active file. */
  cursor = $state(0);
  /** Whether the files of the last visit were looked for. */
  ready = $state(false);
  readonly figures = new Figures(() => this.#allStale());

  readonly about = $derived<About | undefined>(
    this.active && aboutAt(this.active.text, this.cursor, this.active.inspection),
  );

  #view: EditorView | undefined;
  readonly #link = new InspectorLink();
  /** Ids of files of which the last inspection says too little. */
  readonly #stale = new SvelteSet<string>();
  #inspecting = false;
  /** Runs until the cursor has rested where it is. */
  #moved: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    document.addEventListener('visibilitychange', () => this.#flush());
    window.addEventListener('pagehide', () => this.#flush());
  }

  /** Files of the last visit; at the first, the one whose run was killed. */
  async start(): Promise<void> {
    let kept: KeptFile[] = [];
    try {
      kept = await keptFiles();
    } catch {
      this.say('The browser keeps nothing for this page: what is open here is lost when the page is closed.');
    }
    // Something may have been dropped meanwhile.
    const early = this.files;
    this.files = [...kept.map((one) => this.#open(one)), ...early];
    this.ready = true;
    if (this.files.length === 0) this.preset(EXAMPLE.name);
    const last = recall('config.active');
    if (early.length === 0) this.show(this.files.find(({ id }) => id === last) ?? this.files[0]);
    this.#allStale();
  }

  /** A file as documents take it; a preset's purpose is known while its text is. */
  comparedOf(file: OpenFile): Compared {
    const preset = PRESETS.find(({ name, text }) => name === file.path && text === file.text);
    const purpose = file.purpose ?? preset?.purpose;
    return {
      name: file.path,
      text: file.text,
      target: this.figures.of(file.target),
      ...(purpose !== undefined && { purpose }),
    };
  }

  say(notice: string): void {
    this.notices = [...this.notices.filter((one) => one !== notice), notice];
  }

  dismiss(notice: string): void {
    this.notices = this.notices.filter((one) => one !== notice);
  }

  show(file: OpenFile | undefined): void {
    this.active = file;
    if (!file) return;
    remember('config.active', file.id);
    this.cursor = file.state.selection.main.head;
    this.#view?.setState(file.state);
  }

  preset(name: string): void {
    const preset = PRESETS.find((one) => one.name === name);
    if (preset) this.add(preset.name, { ...linesOf(preset.text), mark: false }, { target: preset.target });
  }

  /** Opens a text under its path. One that is open already with the same text is shown instead. */
  add(
    path: string,
    text: FileText,
    about: Pick<Partial<KeptFile>, 'target' | 'base' | 'purpose'> = {},
  ): OpenFile {
    const same = this.files.find((file) => file.holds(path, text));
    if (same) {
      this.show(same);
      return same;
    }
    const taken = this.files.map((file) => file.path);
    const file = this.#open({
      target: targetOf(path),
      ...text,
      ...about,
      id: crypto.randomUUID(),
      path: freePath(path, taken),
      saved: text.text,
      created: Math.max(0, ...this.files.map(({ created }) => created)) + 1,
    });
    this.files = [...this.files, file];
    this.show(file);
    this.#settle(file);
    return file;
  }

  take({ opened, rejected, others }: Opening): void {
    for (const { path, ...text } of opened) {
      const same = this.files.some((file) => file.holds(path, text));
      const file = this.add(path, text);
      if (same) this.say(`${path} is open already, with the same text: it was not opened a second time.`);
      else if (file.path !== path)
        this.say(`Another file called ${path} is open, so this one was opened as ${file.path}.`);
    }
    for (const sentence of rejected) this.say(sentence);
    if (opened.length === 0 && rejected.length === 0)
      this.say(
        others > 0
          ? `None of the ${others} files is YAML (.yaml or .yml).`
          : 'Nothing to open: there are no files here.',
      );
  }

  close(file: OpenFile): void {
    this.closed = file.kept;
    const index = this.files.indexOf(file);
    this.files = this.files.filter((one) => one !== file);
    if (this.active === file) this.show(this.files[Math.min(index, this.files.length - 1)]);
    forget(file.id).catch(() => undefined);
    this.#allStale();
  }

  reopen(): void {
    const kept = this.closed;
    if (!kept) return;
    this.closed = undefined;
    const taken = this.files.map((file) => file.path);
    const file = this.#open({ ...kept, path: freePath(kept.path, taken) });
    this.files = [...this.files, file].sort((a, b) => a.created - b.created);
    this.show(file);
    this.#settle(file);
  }

  /** A sentence that says why a path cannot be had; undefined where it is the file's from now on. */
  rename(file: OpenFile, wanted: string): string | undefined {
    const path = cleanPath(wanted);
    if (path === '') return 'A file needs a path, such as configs/local/train.yaml.';
    if (this.files.some((one) => one !== file && one.path === path)) return `${path} is open already.`;
    file.path = path;
    this.#settle(file);
    return undefined;
  }

  aim(file: OpenFile, target: TargetName): void {
    file.target = target;
    this.#settle(file);
  }

  compareWith(file: OpenFile, base: string | undefined): void {
    file.base = base;
    this.#settle(file);
  }

  /** Marks the text as saved outside the browser. */
  saved(file: OpenFile): void {
    file.saved = file.text = file.current;
    this.#keep(file);
  }

  /** The editor's place in the page. Returns what takes it away again. */
  mount(parent: HTMLElement): () => void {
    const view = new EditorView({
      parent,
      state: this.active?.state ?? EditorState.create({ extensions: this.#extensions() }),
    });
    this.#view = view;
    return () => {
      this.#view = undefined;
      view.destroy();
    };
  }

  select({ from, to }: Place): void {
    const length = this.active?.state.doc.length ?? 0;
    if (!this.#view || to > length) return;
    this.#view.dispatch({
      selection: { anchor: from, head: to },
      effects: EditorView.scrollIntoView(from, { y: 'center' }),
    });
    this.#view.focus();
  }

  undo(): void {
    if (this.#view) undo(this.#view);
  }

  redo(): void {
    if (this.#view) redo(this.#view);
  }

  /** Makes changes in a file as one step of its history, which the form, the fixes and the text share. */
  async apply(file: OpenFile, changes: readonly Change[]): Promise<void> {
    await this.#edit(file, (inspector, text) => inspector.edits(text, changes));
  }

  /**
   * Applies the fixes that need nobody to decide until none is left, as one step of the file's history. What it changed, round
   * by round.
   */
  fix(file: OpenFile): Promise<Edits['rounds']> {
    return this.#edit(file, (inspector) => {
      const rounds = roundsOf(this.files, new SvelteSet([file.id]), (one) => this.figures.of(one.target));
      const asked = rounds.find((round) => round.some((one) => one.file === file)) ?? [];
      const questions = asked.map(({ question }) => question);
      return inspector.fixed(
        questions,
        asked.findIndex((one) => one.file === file),
      );
    });
  }

  async #edit(
    file: OpenFile,
    question: (inspector: Remote<Inspector>, text: string) => Promise<Edits>,
  ): Promise<Edits['rounds']> {
    for (;;) {
      const { doc } = file.state;
      const answer = await this.ask(file.path, (inspector) => question(inspector, doc.toString()));
      if (!answer) return [];
      // What was typed meanwhile moved the places.
      if (file.state.doc !== doc) continue;
      for (const problem of answer.problems) this.say(problem);
      if (answer.edits.length > 0) this.#dispatch(file, { changes: answer.edits, userEvent: 'input.form' });
      return answer.edits.length > 0 ? answer.rounds : [];
    }
  }

  /** Makes edits of a text as one step of its file's history; false where the file has another text by now. */
  edit(file: OpenFile, text: string, edits: readonly Edit[]): boolean {
    if (file.current !== text) return edits.length === 0;
    if (edits.length > 0) this.#dispatch(file, { changes: edits, userEvent: 'input.form' });
    return true;
  }

  /** Asks the worker; undefined where it could not answer, which is said. */
  async ask<T>(
    about: string,
    question: (inspector: Remote<Inspector>) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.#link.ask(question);
    } catch (error) {
      this.say(unanswered(about, error));
      return undefined;
    }
  }

  #dispatch(file: OpenFile, spec: TransactionSpec): void {
    if (this.#view && file === this.active) {
      this.#view.dispatch(spec);
    } else {
      const { doc } = file.state;
      file.state = file.state.update(spec).state;
      if (file.state.doc !== doc) this.#touch(file);
    }
  }

  #open(kept: KeptFile): OpenFile {
    const state = EditorState.create({
      doc: kept.text,
      extensions: [this.#extensions(), lineEnds(kept.mixed)],
    });
    return new OpenFile(kept, state);
  }

  #extensions(): Extension {
    return extensions({
      about: (state, offset) => {
        const file = this.active;
        const text = state.doc.toString();
        return aboutAt(text, offset, file?.text === text ? file.inspection : undefined);
      },
      updated: (update) => this.#updated(update),
    });
  }

  #updated({ state, docChanged, selectionSet }: ViewUpdate): void {
    const file = this.active;
    if (!file) return;
    file.state = state;
    if (docChanged) this.#touch(file);
    if (!docChanged && !selectionSet) return;
    clearTimeout(this.#moved);
    this.#moved = setTimeout(() => {
      if (file === this.active) this.cursor = file.state.selection.main.head;
    }, SETTLE_MILLISECONDS);
  }

  #touch(file: OpenFile): void {
    clearTimeout(file.unsettled);
    file.unsettled = setTimeout(() => this.#settle(file), SETTLE_MILLISECONDS);
  }

  /** Keeps the file and has it inspected. */
  #settle(file: OpenFile): void {
    clearTimeout(file.unsettled);
    file.unsettled = undefined;
    file.text = file.current;
    this.#keep(file);
    this.#stale.add(file.id);
    void this.#inspect();
  }

  #allStale(): void {
    for (const { id } of this.files) this.#stale.add(id);
    void this.#inspect();
  }

  async #inspect(): Promise<void> {
    if (this.#inspecting) return;
    this.#inspecting = true;
    while (this.#stale.size > 0) {
      const rounds = roundsOf(this.files, this.#stale, (file) => this.figures.of(file.target));
      this.#stale.clear();
      for (const asked of rounds) {
        const questions = asked.map(({ question }) => question);
        const about = asked.length === 1 ? (asked[0]?.question.name ?? '') : `${asked.length} files`;
        const answers = await this.ask(about, (inspector) => inspector.inspect(questions));
        for (const { file, inspection } of current(asked, answers ?? [])) this.#learn(file, inspection);
      }
    }
    this.#inspecting = false;
  }

  #learn(file: OpenFile, inspection: NonNullable<OpenFile['inspection']>): void {
    file.learn(inspection);
    const { doc } = file.state;
    const fix = (issue: Issue): void => void this.apply(file, issue.fix ?? []);
    // Panels and text are drawn in tasks of their own, so that a letter typed meanwhile does not wait for both.
    setTimeout(() => {
      if (file.state.doc !== doc) return;
      const diagnostics = diagnosticsOf(inspection.issues, doc.length, fix);
      this.#dispatch(file, setDiagnostics(file.state, diagnostics));
    });
  }

  #keep(file: OpenFile): void {
    keep(file.kept).then(
      (other) => other && this.#keepBoth(file, other),
      () => this.say(`The browser could not keep ${file.path}: save it as a file before the page is closed.`),
    );
  }

  /** Another tab has changed the file too: its text keeps the place, and this one becomes a file of its own. */
  #keepBoth(file: OpenFile, other: KeptFile): void {
    file.id = crypto.randomUUID();
    file.path = freePath(file.path, [...this.files.map(({ path }) => path), other.path]);
    this.files = [...this.files, this.#open(other)];
    this.say(`Another tab has changed ${other.path} too. Both texts are kept: yours is ${file.path} now.`);
    this.#settle(file);
  }

  #flush(): void {
    for (const file of this.files) if (file.unsettled !== undefined) this.#keep(file);
  }
}
