/** `npx smokescan validate`: the issues of configurations, in a terminal, a CI or a pull request. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { inLine, several, messageOf, visible } from '../base/text';
import { describeFixed, fixed, isSafe } from '../config/fixing';
import { inspectAll, launchFit, linesOf, sentence, type Inspection, type Issue } from '../config/issues';
import { applyEdits } from '../config/pieces';
import { TARGET_NAMES, type Target } from '../config/targets';
import { inspectRuns } from '../estimate/forecast';
import { SettingsError } from '../run/failure';
import { readConfigText } from './config_text';
import { ArgumentError, choice, flag, runCommand } from './command_line';
import { isFileError, reasonOf } from './file_error';
import { machineOptions, pathBelow, targetFrom } from './machine';
import { rewrite } from './output_files';
import { complain, print } from './print';
import { toGithub, toSarif, type InspectedFile } from './validate_formats';

const FORMATS = ['text', 'json', 'sarif', 'github'] as const;
type Format = (typeof FORMATS)[number];

const COMMAND = {
  name: 'validate',
  takes: ['FILE…'],
  about: `Checks configurations of the trainer (YAML), one issue a line, further sentences indented below it:
  file:line:column severity id message
Severities:
  invalid   the trainer rejects the file
  critical  the run would be wasted
  high      a crash, or a large cost
  medium    a setting is ignored or misleading
  low       style
An issue that no edit of the file can fix is marked (launch). smokescan rules ID explains an issue. A comment silences one,
# smokescan: ignore ID – why, for its line or the key below it; ignore-file for the whole file.`,
  options: {
    ...machineOptions(TARGET_NAMES),
    fix: flag('writes the fixes that need nobody to decide, says which, and shows the issues that are left'),
    diff: flag('prints what --fix writes, and on standard error what it leaves; writes only with --fix'),
    format: choice(
      FORMATS,
      'text; json: one array, with evidence and fixes (fixable: --fix writes the first, launch: no edit fixes it); sarif: SARIF 2.1.0; github: notes of a workflow (default text)',
    ),
    json: flag('the same as --format json'),
  },
  notes: `Exit code 0; 1 for a file that cannot be read or written, an invalid file, or a critical or high issue that an edit can fix; 2 for wrong
arguments, one of the files among them: the others are checked all the same.`,
};

interface Read {
  readonly file: string;
  /** Below its repository. */
  readonly name: string;
  readonly target: Target;
  text: string;
}

/** Command `validate`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, async ({ given, values }) => {
    const format = values.format ?? (values.json ? 'json' : 'text');
    if (values.json && format !== 'json')
      throw new ArgumentError(`--json and --format ${format} exclude each other; leave one out`);
    if (values.diff && format !== 'text')
      throw new ArgumentError(`--diff prints a diff and nothing else; leave out --format ${format}`);
    const read: Read[] = [];
    const problems: string[] = [];
    let wrong = false;
    for (const [i, file] of given.entries()) {
      try {
        // What a variable of the shell gives that is not set.
        if (file === '') throw new ArgumentError(`argument ${i + 1} is empty; give FILE`);
        const name = pathBelow(file, values.root);
        read.push({ file, name, target: targetFrom(values, name), text: await readConfigText(file) });
      } catch (error) {
        problems.push(messageOf(error));
        complain(messageOf(error));
        wrong ||= error instanceof ArgumentError;
      }
    }
    if (values.fix || values.diff) problems.push(...(await fixAll(read, values)));
    const inspected = inspectFiles(read);
    if (!values.diff) show(inspected, format, problems);
    if (wrong) return 2;
    const issues = inspected.flatMap(({ inspection }) => inspection.issues);
    return problems.length > 0 || launchFit(issues) === "won't fit" ? 1 : 0;
  });

const inspectionsOf = (files: readonly Read[]): Inspection[] =>
  inspectRuns(files.map(({ text, name, target }) => ({ text, subject: { name, target } })));

function inspectFiles(files: readonly Read[]): InspectedFile[] {
  const inspections = inspectionsOf(files);
  return files.map(({ file, text }, i) => ({ file, text, inspection: inspections[i] as Inspection }));
}

/**
 * Fixes files that belong together, one after the other, and says what is fixed and what is left; with `fix` they are written,
 * and their texts are the new ones. Returns a sentence for each that cannot be written.
 */
async function fixAll(files: Read[], { fix, diff }: { fix: boolean; diff: boolean }): Promise<string[]> {
  const asked = [...files];
  const unwritten: string[] = [];
  for (const [at, one] of files.entries()) {
    const issuesOf = (text: string): readonly Issue[] => {
      asked[at] = { ...one, text };
      return inspectionsOf(asked)[at]?.issues ?? [];
    };
    const { edits, rounds, problems } = fixed(one.text, issuesOf);
    const file = inLine(one.file);
    for (const problem of problems) complain(`${file}: ${problem}`);
    const text = applyEdits(one.text, edits);
    const left = issuesOf(text);
    if (text !== one.text) {
      if (diff)
        writeDiff(
          createTwoFilesPatch(file, file, one.text, text, undefined, undefined, {
            headerOptions: FILE_HEADERS_ONLY,
          }),
        );
      try {
        if (fix) await rewrite(one.file, text);
      } catch (error) {
        if (!isFileError(error) && !(error instanceof SettingsError)) throw error;
        asked[at] = one;
        unwritten.push(`${file} cannot be written: ${reasonOf(error)}`);
        complain(unwritten.at(-1) ?? '');
        continue;
      }
      if (fix) one.text = text;
      const { count, values } = describeFixed(rounds);
      complain(`${file}: ${count} ${fix ? 'fixed' : 'that --fix writes'}: ${values}`);
    }
    const decided = left.filter(({ fixable }) => fixable);
    if (decided.length > 0)
      complain(
        `${file}: ${several(decided.length, 'issue')} left, for a person to decide${decided.some(({ severity }) => severity === 'invalid') ? '; the trainer still rejects the file' : ''}`,
      );
    if (diff) for (const issue of left) complain(asLine({ file: one.file, issue }));
  }
  return unwritten;
}

/** Without what a terminal would obey; a line's CRLF belongs to what the diff leads to. */
const writeDiff = (diff: string): void =>
  void process.stdout.write(
    diff
      .split('\r\n')
      .map((part) => visible(part, Infinity))
      .join('\r\n'),
  );

function show(files: readonly InspectedFile[], format: Format, problems: readonly string[]): void {
  const found = files.flatMap(({ file, inspection }) => inspection.issues.map((issue) => ({ file, issue })));
  switch (format) {
    case 'json':
      return print(JSON.stringify(found.map(asJson), null, 2));
    case 'sarif':
      return print(JSON.stringify(toSarif(files, problems), null, 2));
    case 'github':
      return found.forEach(({ file, issue }) => print(toGithub(file, issue)));
    case 'text': {
      for (const one of found) print(asLine(one));
      const silenced = files.reduce((sum, { inspection }) => sum + inspection.silenced.length, 0);
      if (silenced > 0) complain(`${several(silenced, 'issue')} silenced by comments`);
      return undefined;
    }
    default:
      return format satisfies never;
  }
}

interface Found {
  readonly file: string;
  readonly issue: Issue;
}

function asLine({ file, issue }: Found): string {
  const { place, severity, id, fixable, path } = issue;
  const [message = '', ...more] = linesOf(issue);
  return [
    `${inLine(file)}:${place.line}:${place.column} ${severity} ${id} ${fixable ? '' : '(launch) '}${sentence({ path, message })}`,
    ...more,
  ].join('\n    ');
}

function subjectOf(file: string): { readonly name: string; readonly target: Target } {
  const name = pathBelow(file);
  return { name, target: targetFrom({}, name) };
}

/** One line for each validation error of a file. */
export const validationErrorsOf = (file: string, text: string): string[] =>
  inspectAll([{ text, subject: subjectOf(file) }]).flatMap(({ issues }) =>
    issues.filter(({ severity }) => severity === 'invalid').map((issue) => asLine({ file, issue })),
  );

function asJson({ file, issue }: Found): unknown {
  const { place, ...rest } = issue;
  return {
    file,
    ...place,
    ...rest,
    fixable: isSafe(issue),
    launch: !issue.fixable,
    message: sentence(issue),
  };
}
