/** Which kernels these are: what was measured of others says nothing of them. */
import { sha256 } from '../base/sha256';

const shaders = import.meta.glob<string>('../../shaders/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** The first digits of the SHA-256 of all shaders. */
export const kernelsVersion: Promise<string> = sha256(
  new TextEncoder().encode(
    Object.entries(shaders)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, text]) => `${path}\n${text}`)
      .join('\n'),
  ),
).then((digits) => digits.slice(0, 12));
