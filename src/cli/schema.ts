/** `npx smokescan schema`: writes configs/schema.json, the JSON Schema of the trainer's configuration for editors. */
import { fileURLToPath } from 'node:url';
import { jsonSchema } from '../config/json_schema';
import { runCommand } from './command_line';
import { writeWhole } from './output_files';

const FILE = new URL('../../configs/schema.json', import.meta.url);

/** The file's text. */
export const schemaText = (): string => `${JSON.stringify(jsonSchema(), null, 2)}\n`;

const COMMAND = {
  name: 'schema',
  takes: [],
  about: 'Writes configs/schema.json, by which editors check and complete the trainer’s configuration.',
  options: {},
  notes: 'Exit code 0; 2 for wrong arguments.',
};

/** Command `schema`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, async () => {
    await writeWhole(fileURLToPath(FILE), [schemaText()]);
    return 0;
  });
