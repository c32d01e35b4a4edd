/** `npx smokescan validate`: the issues of configurations, in a terminal or a CI. */
import { parseArgs } from 'node:util';
import { readConfigText } from './config_text';
import { failing, inspectAll, sentence, type Issue } from '../config/issues';
import { isTargetName, targetOf, TARGETS, type TargetName } from '../config/targets';
import { inspectRuns } from '../estimate/forecast';

const NAMES = Object.keys(TARGETS).join('|');

const USAGE = `Usage: smokescan validate FILE… [--target ${NAMES}] [--json]

Checks configurations of the trainer (YAML), one issue a line:
  file:line:column severity id message
Severities:
  invalid   the trainer rejects the file
  critical  the run would be wasted
  high      a crash, or a large cost
  medium    a setting is ignored or misleading
  low       style
An issue that no edit of the file can fix is marked (launch).
  --target T   where it will run (local; modal for files whose path has “modal” or “a100” in it, wsl2 for “wsl”)
  --json       the issues as one JSON array, with evidence and fixes

Exit code 0; 1 for a file that cannot be read, an invalid file, or a critical or high issue that an edit can fix; 2 for wrong
arguments.`;

interface Given {
  readonly file: string;
  readonly text: string;
}

/** Command `validate`. */
export async function main(args: string[]): Promise<number> {
  const wanted = argumentsOf(args);
  if (wanted === undefined) return 2;
  const { files, target, json } = wanted;
  const given: Given[] = [];
  for (const file of files) {
    try {
      given.push({ file, text: await readConfigText(file) });
    } catch (error) {
      console.error(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const inspections = inspectRuns(
    given.map(({ file, text }) => ({
      text,
      subject: { name: file, target: TARGETS[target ?? targetOf(file)] },
    })),
  );
  const found = inspections.flatMap(({ issues }, i) =>
    issues.map((issue) => ({ file: given[i]?.file ?? '', issue })),
  );
  if (json) console.log(JSON.stringify(found.map(asJson), null, 2));
  else for (const one of found) console.log(asLine(one));
  return given.length < files.length || found.some(({ issue }) => failing(issue)) ? 1 : 0;
}

function argumentsOf(args: string[]): { files: string[]; target?: TargetName; json: boolean } | undefined {
  try {
    const { positionals: files, values } = parseArgs({
      args,
      allowPositionals: true,
      options: { target: { type: 'string' }, json: { type: 'boolean' } },
    });
    const { target, json = false } = values;
    if (files.length === 0) throw new Error('There is no file to validate.');
    if (target === undefined) return { files, json };
    if (!isTargetName(target))
      throw new Error(`--target is ${target}; it is one of ${Object.keys(TARGETS).join(', ')}.`);
    return { files, target, json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return undefined;
  }
}

interface Found {
  readonly file: string;
  readonly issue: Issue;
}

const asLine = ({ file, issue }: Found): string =>
  `${file}:${issue.place.line}:${issue.place.column} ${issue.severity} ${issue.id} ${issue.fixable ? '' : '(launch) '}${sentence(issue)}`;

/** One line for each validation error of a file. */
export const validationErrorsOf = (file: string, text: string): string[] =>
  inspectAll([{ text, subject: { name: file, target: TARGETS[targetOf(file)] } }]).flatMap(({ issues }) =>
    issues.filter(({ severity }) => severity === 'invalid').map((issue) => asLine({ file, issue })),
  );

function asJson({ file, issue }: Found): unknown {
  const { place, ...rest } = issue;
  return { file, ...place, ...rest, message: sentence(issue) };
}
