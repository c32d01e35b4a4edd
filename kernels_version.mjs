// Which kernels these are, by all that their text and the choice among their variants follow from. Vite's configurations give it to the
// code as KERNELS_VERSION, as they find the files when they start; it is JavaScript because the commands read it before TypeScript can be loaded.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(fileURLToPath(import.meta.url));
const FOLDERS = ['shaders', 'src/engine/ops'];
/** What expands the shaders, and the text that every kernel with step scalars begins with. */
const FILES = ['src/engine/wgsl.ts', 'src/engine/step.ts'];

/**
 * The first 12 digits of the SHA-256 of shaders, ops and what expands them: what was measured of others says nothing of these.
 *
 * @param {string} root the repository
 * @returns {string}
 */
export function kernelsVersion(root = ROOT) {
  const listed = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  );
  const hash = createHash('sha256');
  for (const path of [...listed, ...FILES].sort())
    hash.update(`${path}\n`).update(readFileSync(join(root, path)));
  return hash.digest('hex').slice(0, 12);
}

/** Vite's option `define`. */
export const DEFINED = { KERNELS_VERSION: JSON.stringify(kernelsVersion()) };
