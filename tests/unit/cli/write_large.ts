/** Writes a megabyte as commands do, and reports what they would. */
import { sentenceOf } from '../../../src/cli/file_error';
import { writeWhole } from '../../../src/cli/output_files';

export async function main([path = '']: readonly string[]): Promise<number> {
  try {
    await writeWhole(path, [new Uint8Array(1 << 20)]);
    return 0;
  } catch (error) {
    console.error(sentenceOf(error as Error));
    return 1;
  }
}
