/** `npx smokescan validate`: what production would reject, and what it would regret, in a terminal or a CI. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { failing, inspectAll, sentence, type Issue } from '../config/issues';
import { isTargetName, targetOf, TARGETS, type TargetName } from '../config/targets';
import { inspectRuns } from '../estimate/forecast';

const NAMES = Object.keys(TARGETS).join('|');

const USAGE = `Usage: smokescan validate FILE… [--target ${NAMES}] [--json]

Checks production configurations (YAML), one issue a line:
  file:line:column severity id message
Severities: R production rejects the file, C the run is wasted, H crash or large cost, M misleading, L hygiene. What no
edit of the file can fix is marked (launch).
  --target T   where it will run (local; modal for files whose path has “modal” or “a100” in it, wsl2 for “wsl”)
  --json       the issues as one JSON array, with evidence and fixes

Exit code 0; 1 for a file that cannot be read or that production rejects, or a C or H issue that an edit can fix;
2 for wrong arguments.`;

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
      given.push({ file, text: await readFile(file, 'utf8') });
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

/** One line for each reason why production rejects a file. */
export const validationErrorsOf = (file: string, text: string): string[] =>
  inspectAll([{ text, subject: { name: file, target: TARGETS[targetOf(file)] } }]).flatMap(({ issues }) =>
    issues.filter(({ severity }) => severity === 'R').map((issue) => asLine({ file, issue })),
  );

function asJson({ file, issue }: Found): unknown {
  const { place, ...rest } = issue;
  return { file, ...place, ...rest, message: sentence(issue) };
}
