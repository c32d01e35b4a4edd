/** `npx smokescan schema`: writes configs/schema.json, the JSON Schema of the trainer's configuration for editors. */
import { writeFile } from 'node:fs/promises';
import { jsonSchema } from '../config/json_schema';

const FILE = new URL('../../configs/schema.json', import.meta.url);

/** The file's text. */
export const schemaText = (): string => `${JSON.stringify(jsonSchema(), null, 2)}\n`;

/** Command `schema`. */
export async function main(args: string[]): Promise<number> {
  if (args.length > 0) {
    console.error('Usage: smokescan schema\n\nWrites configs/schema.json.');
    return 2;
  }
  await writeFile(FILE, schemaText());
  return 0;
}
