/** `npx smokescan validate`: what production would refuse, and what it would regret, in a terminal or a CI. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { failing, inspectAll, sentence, type Remark } from '../config/findings';
import { isTargetName, targetOf, TARGETS, type TargetName } from '../config/targets';
import { inspectRuns } from '../estimate/forecast';

const NAMES = Object.keys(TARGETS).join('|');

const USAGE = `Usage: smokescan validate FILE… [--target ${NAMES}] [--json]

Checks production configurations (YAML), one finding a line:
  file:line:column severity id message
Severities: R production refuses the file, C the run is wasted, H crash or large cost, M misleading, L hygiene. What no
edit of the file can mend is marked (launch).
  --target T   where it will run (local; modal for files whose path has “modal” or “a100” in it, wsl2 for “wsl”)
  --json       the findings as one JSON array, with evidence and fixes

Exit code 0; 1 for a file that cannot be read or that production refuses, or a C or H finding that an edit can mend;
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
  const found = inspections.flatMap(({ findings }, i) =>
    findings.map((finding) => ({ file: given[i]?.file ?? '', finding })),
  );
  if (json) console.log(JSON.stringify(found.map(asJson), null, 2));
  else for (const one of found) console.log(asLine(one));
  return given.length < files.length || found.some(({ finding }) => failing(finding)) ? 1 : 0;
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
  readonly finding: Remark;
}

const asLine = ({ file, finding }: Found): string =>
  `${file}:${finding.place.line}:${finding.place.column} ${finding.severity} ${finding.id} ${finding.mendable ? '' : '(launch) '}${sentence(finding)}`;

/** One line for each reason why production refuses a file. */
export const refusalsOf = (file: string, text: string): string[] =>
  inspectAll([{ text, subject: { name: file, target: TARGETS[targetOf(file)] } }]).flatMap(({ findings }) =>
    findings.filter(({ severity }) => severity === 'R').map((finding) => asLine({ file, finding })),
  );

function asJson({ file, finding }: Found): unknown {
  const { place, ...rest } = finding;
  return { file, ...place, ...rest, message: sentence(finding) };
}
