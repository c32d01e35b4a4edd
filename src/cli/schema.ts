/** `npx smokescan schema`: the JSON Schema of the trainer's configuration, for editors. */
import { schemaText } from '../config/json_schema';
import { runCommand, text } from './command_line';
import { writeWhole } from './output_files';
import { print } from './print';

const COMMAND = {
  name: 'schema',
  takes: [],
  about: 'Prints the JSON Schema by which editors check and complete the trainer’s configuration.',
  options: { out: text('FILE', 'writes it into this file instead') },
  notes: 'Exit code 0; 1 where the file cannot be written; 2 for wrong arguments.',
};

/** Command `schema`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, async ({ values: { out } }) => {
    if (out === undefined) print(schemaText().trimEnd());
    else await writeWhole(out, [schemaText()]);
    return 0;
  });
