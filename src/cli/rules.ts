/** `npx smokescan rules`: what validate finds, and the page of one rule. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { aligned } from '../base/table';
import { RULE_LIST } from '../config/rule_list';
import { nearestOf } from '../config/letters';
import { rulePage, rulePages, whereOf } from '../handoff/rule_pages';
import { ArgumentError, runCommand, text } from './command_line';
import { writeWhole } from './output_files';
import { print } from './print';

const COMMAND = {
  name: 'rules',
  takes: ['[RULE]'],
  about:
    'Lists the rules by which configurations are checked, or explains one: what it finds, in which file, and why.',
  options: { out: text('DIR', 'writes a page of Markdown for each rule into this folder') },
  notes: 'Exit code 0; 1 where a page cannot be written; 2 for wrong arguments.',
};

/** Command `rules`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, async ({ given: [id], values: { out } }) => {
    const rule = RULE_LIST.find((one) => one.id === id);
    if (id !== undefined && !rule) {
      const near = nearestOf(
        id,
        RULE_LIST.map((one) => one.id),
      );
      throw new ArgumentError(
        `There is no rule ${id}${near ? `; the nearest is ${near}` : ''}. smokescan rules lists them`,
      );
    }
    if (out !== undefined) {
      await mkdir(out, { recursive: true });
      for (const { name, text } of rulePages()) await writeWhole(join(out, name), [text]);
    } else if (rule) print(rulePage(rule).trimEnd());
    else
      for (const line of aligned(RULE_LIST.map((one) => [one.id, one.severity, one.title, whereOf(one)])))
        print(line);
    return 0;
  });
