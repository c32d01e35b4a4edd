/** `npx smokescan validate`: the issues of configurations, in a terminal or a CI. */
import { messageOf } from '../base/text';
import { readConfigText } from './config_text';
import { failing, inspectAll, sentence, type Issue } from '../config/issues';
import { TARGET_NAMES, type Target } from '../config/targets';
import { inspectRuns } from '../estimate/forecast';
import { flag, runCommand } from './command_line';
import { machineOptions, pathBelow, targetFrom } from './machine';
import { complain, print } from './print';

const COMMAND = {
  name: 'validate',
  takes: ['FILE…'],
  about: `Checks configurations of the trainer (YAML), one issue a line:
  file:line:column severity id message
Severities:
  invalid   the trainer rejects the file
  critical  the run would be wasted
  high      a crash, or a large cost
  medium    a setting is ignored or misleading
  low       style
An issue that no edit of the file can fix is marked (launch).`,
  options: {
    ...machineOptions(TARGET_NAMES),
    json: flag('the issues as one JSON array, with evidence and fixes'),
  },
  notes: `Exit code 0; 1 for a file that cannot be read, an invalid file, or a critical or high issue that an edit can fix; 2 for wrong
arguments.`,
};

interface Given {
  readonly file: string;
  readonly text: string;
  /** Below its repository. */
  readonly name: string;
  readonly target: Target;
}

/** Command `validate`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, ({ given, values }) =>
    validate(
      given.map((file) => {
        const name = pathBelow(file, values.root);
        return { file, name, target: targetFrom(values, name) };
      }),
      values.json,
    ),
  );

async function validate(files: readonly Omit<Given, 'text'>[], json: boolean): Promise<number> {
  const given: Given[] = [];
  for (const { file, name, target } of files) {
    try {
      given.push({ file, name, target, text: await readConfigText(file) });
    } catch (error) {
      complain(messageOf(error));
    }
  }
  const inspections = inspectRuns(
    given.map(({ text, name, target }) => ({ text, subject: { name, target } })),
  );
  const found = inspections.flatMap(({ issues }, i) =>
    issues.map((issue) => ({ file: given[i]?.file ?? '', issue })),
  );
  if (json) print(JSON.stringify(found.map(asJson), null, 2));
  else for (const one of found) print(asLine(one));
  return given.length < files.length || found.some(({ issue }) => failing(issue)) ? 1 : 0;
}

interface Found {
  readonly file: string;
  readonly issue: Issue;
}

const asLine = ({ file, issue }: Found): string =>
  `${file}:${issue.place.line}:${issue.place.column} ${issue.severity} ${issue.id} ${issue.fixable ? '' : '(launch) '}${sentence(issue)}`;

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
  return { file, ...place, ...rest, message: sentence(issue) };
}
