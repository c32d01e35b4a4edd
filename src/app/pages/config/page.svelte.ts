import { tick } from 'svelte';
import type { BundleFile } from '../../../handoff/bundle';
import type { Change } from '../../../config/change';
import { EXAMPLE } from '../../../config/presets';
import { isSmokeRun } from '../../../config/targets';
import { judge, type Fit } from '../../../config/verdict';
import type { Answer } from '../../ui/answer';
import { download } from '../../ui/download';
import type { DroppedFile } from '../../ui/dropped';
import { recall, remember } from '../../ui/stored';
import { limits } from '../fit/limits.svelte';
import { headlines } from '../fit/text';
import { diffOf, type DiffLine } from './diff';
import { linesOf, zipOf } from './file_text';
import { ABOUT_SEVERITY } from './issues';
import { describeFixed, safeFixes } from '../../../config/fixing';
import { ignoreEdit } from '../../../config/ignores';
import {
  isSevere,
  launchFit,
  SEVERITIES,
  waysToFix,
  type Issue,
  type Severity,
} from '../../../config/issues';
import type { OpenFile } from './open_file.svelte';
import { givenBy, openFiles, writeFolder } from './opening';
import { Review } from './review.svelte';
import type { Variation } from './worker';
import { workspace } from './shared';

export const TABS = ['text', 'issues', 'form', 'values', 'compare', 'variant', 'commands', 'review'] as const;
export type Tab = (typeof TABS)[number];

/** Names of tabs as browsers may still remember them. */
const FORMERLY: Readonly<Record<string, Tab>> = { seen: 'values', derive: 'variant', launch: 'commands' };

const NARROW = '(max-width: 62rem)';

/** What the page shows, and what its buttons do. */
export class ConfigPage {
  readonly work = workspace();
  readonly review = new Review(this.work);
  tab = $state<Tab>('issues');
  /** Whether text and panels share one column. */
  narrow = $state(false);
  dragging = $state(false);
  /** Whether the panel needs the whole width, beside which the text is not shown. */
  readonly isFull = $derived(this.tab === 'review' || this.tab === 'compare');
  /** Severities whose issues are hidden. */
  hidden = $state.raw<readonly Severity[]>([]);
  onlyFixable = $state(false);
  saidSaved = $state('');
  /** What `applySafe` changed last; a round follows from the one before. */
  fixed = $state.raw<
    | { readonly file: OpenFile; readonly said: string; readonly rounds: readonly (readonly DiffLine[])[] }
    | undefined
  >();

  readonly file = $derived(this.work.active);
  /** The machine that the active file is checked for, in words. */
  readonly target = $derived(this.file ? this.work.figures.of(this.file.target).title : '');
  readonly issues = $derived(this.file?.issues ?? []);
  readonly silenced = $derived(this.file?.inspection?.silenced ?? []);
  readonly counts = $derived(
    SEVERITIES.map((severity) => ({
      severity,
      count: this.issues.filter((one) => one.severity === severity).length,
    })),
  );
  readonly shown = $derived(
    this.issues
      .filter(({ severity }) => !this.hidden.includes(severity))
      .filter((issue) => !this.onlyFixable || waysToFix(issue).length > 0),
  );
  /** One change a key, of the severest issue that has one; others may become necessary by them. */
  readonly safeFixes = $derived(safeFixes(this.issues));
  /** What makes all readers of YAML agree. */
  readonly alike = $derived(this.issues.filter(({ id }) => id === 'yaml-1.1').flatMap(({ fix = [] }) => fix));
  /** Whether nothing is open but the file that a first visit opens. */
  readonly isExample = $derived(this.work.files.length === 1 && this.file?.text === EXAMPLE.text);
  /** How many issues would waste or end the run, those that no edit can fix among them. */
  readonly severe = $derived(this.issues.filter(isSevere).length);
  /** Whether the file can be launched, in a few words. */
  readonly readiness = $derived.by((): { readonly said: string; readonly fit: Fit } | undefined => {
    if (!this.file?.inspection) return undefined;
    const fit = launchFit(this.issues);
    if (fit === "won't fit") return { said: `Not ready for ${this.target}`, fit };
    if (fit === 'borderline') return { said: `To confirm before a launch on ${this.target}`, fit };
    const over = this.answers
      ?.filter(({ name, fits }) => (name === 'Time' || name === 'Cost') && fits === "won't fit")
      .map(({ name }) => (name === 'Time' ? 'deadline' : 'budget'));
    return over?.length
      ? { said: `Ready for ${this.target}, but beyond the ${over.join(' and the ')}`, fit: 'borderline' }
      : { said: `Ready for ${this.target}`, fit: 'fits' };
  });
  /** GPU memory, system RAM, time and cost of the run; undefined where nothing is predicted. */
  readonly answers = $derived.by(() => {
    const verdict = this.file?.inspection?.verdict;
    if (!verdict || !this.file) return undefined;
    const { gpu, ram, time, cost } = verdict;
    const { hours, dollars } = limits.value;
    return headlines(this.work.figures.of(this.file.target).gpu.name, {
      gpu,
      ram,
      time: judge(time.need, hours),
      cost: cost && judge(cost.need, dollars),
    });
  });
  /** For screen readers, and above the list. */
  readonly summary = $derived.by(() => {
    if (!this.file?.inspection) return '';
    const said = this.counts
      .filter(({ count }) => count > 0)
      .map(({ severity, count }) => `${count} ${ABOUT_SEVERITY[severity].name.toLowerCase()}`);
    return said.length === 0 ? 'No issues in this file.' : said.join(', ');
  });

  constructor() {
    const query = matchMedia(NARROW);
    const adapt = (): void => void (this.narrow = query.matches);
    query.addEventListener('change', adapt);
    adapt();
    const last = recall('config.tab');
    const tab = TABS.find((one) => one === last) ?? FORMERLY[last ?? ''];
    if (tab && (tab !== 'text' || this.narrow)) this.tab = tab;
  }

  /** The open file of a smoke run on the machine of another, with which its launch starts. */
  smokeOf({ target }: OpenFile): { name: string; text: string } | undefined {
    const modal = target === 'modal';
    const found = this.work.files.find(
      (file) => isSmokeRun(file.path) && file.target !== 'browser' && (file.target === 'modal') === modal,
    );
    return found && { name: found.path, text: found.text };
  }

  openVariation({ name, target, text, title }: Variation): void {
    const base = this.file?.id;
    this.work.add(
      name,
      { ...linesOf(text), mark: false },
      { target: target.name, purpose: title, ...(base !== undefined && { base }) },
    );
    this.choose('issues');
  }

  choose(tab: Tab): void {
    this.tab = tab;
    remember('config.tab', tab);
  }

  /** Hides or shows issues of a severity; from another tab it only leads to them. */
  toggle(severity: Severity): void {
    if (this.tab !== 'issues') return this.choose('issues');
    this.hidden = this.hidden.includes(severity)
      ? this.hidden.filter((one) => one !== severity)
      : [...this.hidden, severity];
  }

  fix(changes: readonly Change[]): void {
    if (this.file) void this.work.apply(this.file, changes);
  }

  /** Applies all fixes that need nobody to decide, and says which values they are. */
  async applySafe(): Promise<void> {
    const { file, target } = this;
    if (!file) return;
    const { good } = file;
    const rounds = await this.work.fix(file);
    if (rounds.length === 0) return;
    const { count } = describeFixed(rounds);
    this.fixed = {
      file,
      said: `${count} ${count === '1 value' ? 'was' : 'were'} fixed for ${target} in ${file.name}.`,
      rounds: rounds.map((changes, i) => diffOf(good, changes, rounds.slice(0, i).flat())),
    };
    this.choose('issues');
  }

  /** Writes the comment that silences an issue, and puts the cursor where its reason is missing. */
  async ignore(issue: Issue): Promise<void> {
    const { file } = this;
    if (!file || issue.place.to > file.current.length) return;
    const edit = ignoreEdit(file.current, issue);
    if (!this.work.edit(file, file.current, [edit])) return;
    const at = edit.from + edit.insert.trimEnd().length + 1;
    await this.reveal({ place: { ...issue.place, from: at, to: at } });
  }

  async reveal({ place }: Pick<Issue, 'place'>): Promise<void> {
    if (this.narrow) this.choose('text');
    await tick();
    this.work.select(place);
  }

  async open(given: readonly DroppedFile[]): Promise<void> {
    this.work.take(await openFiles(given));
  }

  openFiles(files: FileList): void {
    void this.open(givenBy(files));
  }

  create(): void {
    this.work.add('configs/new.yaml', { ...linesOf(''), mark: false });
    if (this.narrow) this.choose('text');
  }

  paste(clipboard: DataTransfer): void {
    if (clipboard.files.length > 0) void this.open(givenBy(clipboard.files));
    else {
      const text = clipboard.getData('text/plain');
      if (/\S/.test(text)) this.work.add('configs/pasted.yaml', { ...linesOf(text), mark: false });
    }
  }

  async save(file: OpenFile): Promise<void> {
    const [leaving] = await this.#leaving([file]);
    if (!leaving) return;
    download(file.name, new Blob([leaving.bytes], { type: 'application/yaml' }));
    this.#saved([file], `${file.name} was saved.`);
  }

  async saveZip(): Promise<void> {
    const { files } = this.work;
    download('configs.zip', zipOf(await this.#leaving(files)));
    this.#saved(files, 'All files were saved as configs.zip.');
  }

  /** All files, a script for each and, of two or more, the sign-off report, to be unpacked in the trainer's folder. */
  async saveBundle(): Promise<void> {
    const { files } = this.work;
    const leaving = await this.#leaving(files);
    const request = this.review.request();
    const written =
      request &&
      (await this.work.ask<Answer<string>>('the sign-off report', (inspector) => inspector.review(request)));
    if (request && !written) return;
    if (written && 'problem' in written) return this.work.say(written.problem);
    const configs = files.map((file) => this.work.comparedOf(file));
    const answer = await this.work.ask<Answer<BundleFile[]>>('the files', (inspector) =>
      inspector.bundle(configs, written?.value),
    );
    if (!answer) return;
    if ('problem' in answer) return this.work.say(answer.problem);
    // The configurations come first, in their order; their bytes are the files' own.
    const parts = answer.value.map(({ path, text }, i) => ({
      path,
      bytes: leaving[i]?.bytes ?? new TextEncoder().encode(text),
    }));
    download('launch.zip', zipOf(parts));
    this.#saved(files, 'All files with their scripts were saved as launch.zip.');
  }

  async saveFolder(): Promise<void> {
    const { files } = this.work;
    try {
      if (await writeFolder(() => this.#leaving(files)))
        this.#saved(files, 'All files were written into the folder.');
    } catch (error) {
      this.work.say(
        `The folder could not be written: ${(error as Error).message}. Save the files as a zip instead.`,
      );
    }
  }

  /**
   * What is saved of each file: its text as all readers of YAML read it alike, in the file's own way of writing. What that
   * changes is changed in the editor, too.
   */
  #leaving(files: readonly OpenFile[]): Promise<{ path: string; bytes: Uint8Array<ArrayBuffer> }[]> {
    return Promise.all(
      files.map(async (file) => {
        const text = file.current;
        const answer = await this.work.ask(file.path, (inspector) => inspector.forAllReaders(text));
        const { edits = [], said } = answer ?? {};
        const kept = this.work.edit(file, text, edits)
          ? ''
          : '; the text here was edited meanwhile, and has it not';
        if (said !== undefined) this.work.say(`${file.path} ${said}${kept}.`);
        return { path: file.path, bytes: file.bytesOf(answer?.text ?? text) };
      }),
    );
  }

  #saved(files: readonly OpenFile[], sentence: string): void {
    for (const file of files) this.work.saved(file);
    this.saidSaved = sentence;
  }
}
