/** `npx smokescan validate`: what production would refuse, and what it would regret, in a terminal or a CI. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readConfig, type ConfigFile, type Place } from '../production/pyyaml';
import { check, TARGETS, type Severity, type TargetName } from '../production/rules';
import { invalidities } from '../production/schema';

const USAGE = `Usage: smokescan validate FILE… [--target wsl2|modal|local] [--json]

Checks production configurations (YAML), one finding a line:
  file:line:column severity id message
Severities: R production refuses the file, C the run is wasted, H crash or large cost, M misleading, L hygiene. What no
edit of the file can mend is marked (launch).
  --target T   where it will run (local; modal for files whose path has “modal” in it, wsl2 for “wsl2”)
  --json       the findings as one JSON array

Exit code 0; 1 for a file that production refuses, or a C or H finding that an edit can mend; 2 for wrong arguments.`;

interface Line {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: Severity | 'R';
  readonly id: string;
  readonly message: string;
  readonly mendable: boolean;
}

/** Command `validate`. */
export async function main(args: string[]): Promise<number> {
  let files: string[];
  let values: { target?: string; json?: boolean };
  try {
    ({ positionals: files, values } = parseArgs({
      args,
      allowPositionals: true,
      options: { target: { type: 'string' }, json: { type: 'boolean' } },
    }));
    if (files.length === 0) throw new Error('There is no file to validate.');
    if (values.target !== undefined && !(values.target in TARGETS))
      throw new Error(`--target is ${values.target}; it is one of ${Object.keys(TARGETS).join(', ')}.`);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const lines: Line[] = [];
  for (const file of files) {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      console.error(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return 2;
    }
    lines.push(...findingsOf(file, text, (values.target as TargetName | undefined) ?? targetOf(file)));
  }
  if (values.json === true) console.log(JSON.stringify(lines, null, 2));
  else
    for (const { file, line, column, severity, id, message, mendable } of lines)
      console.log(`${file}:${line}:${column} ${severity} ${id} ${mendable ? '' : '(launch) '}${message}`);
  return lines.some(({ severity, mendable }) => severity === 'R' || (mendable && 'CH'.includes(severity)))
    ? 1
    : 0;
}

const targetOf = (file: string): TargetName =>
  /modal/i.test(file) ? 'modal' : /wsl2/i.test(file) ? 'wsl2' : 'local';

/** Findings of one file, in the order of their weight. */
export function findingsOf(file: string, text: string, target: TargetName): Line[] {
  const config = readConfig(text);
  const refused = config.refusals.map(({ message, place }) =>
    lineOf(file, place, 'R', 'yaml', message, true),
  );
  if (config.value === undefined) return refused;
  const invalid = invalidities(config.value).map(({ path, problem }) =>
    lineOf(file, placeOf(config, path), 'R', 'invalid', `${path || 'the file'} ${problem}`, true),
  );
  const findings = check({ name: file, file: config, target: TARGETS[target] }).map((finding) => {
    const message = finding.path === '' ? finding.message : `${finding.path}: ${finding.message}`;
    return lineOf(
      file,
      placeOf(config, finding.path),
      finding.severity,
      finding.id,
      message,
      finding.mendable,
    );
  });
  return [...refused, ...invalid, ...findings];
}

function lineOf(
  file: string,
  { line, column }: Place,
  severity: Line['severity'],
  id: string,
  message: string,
  mendable: boolean,
): Line {
  return { file, line, column, severity, id, message, mendable };
}

const START: Place = { line: 1, column: 1, from: 0, to: 0 };

/** Of the value at a path, or of the nearest section above it. */
function placeOf({ entries }: ConfigFile, path: string): Place {
  for (let at = path; at !== ''; at = at.split('.').slice(0, -1).join('.')) {
    const entry = entries.findLast((one) => one.path === at);
    if (entry) return at === path ? entry.value : entry.key;
  }
  return START;
}
