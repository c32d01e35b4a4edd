/** Files as a stranger could have made them. */
import type { Random } from '../../src/base/random';

const TOKENS = [
  '-1',
  '0',
  '1e9',
  '1e-9',
  '99999999',
  'nan',
  'inf',
  '-',
  '.',
  ',',
  '\0',
  '\x14',
  '\x15',
  '+',
  ' ',
  'é',
];
/** What reading one file may take: seconds of computing, and bytes. */
const SECONDS = 2;
const BYTES = 1e9;

/** Reads a file. Throws where that takes more than it may; an error of `read` is for the caller. */
export async function withinBounds<T>(read: () => T | Promise<T>): Promise<T> {
  const bytes = (): number => 1024 * process.resourceUsage().maxRSS;
  const [before, started] = [bytes(), process.cpuUsage()];
  try {
    return await read();
  } finally {
    const { user, system } = process.cpuUsage(started);
    const [seconds, more] = [(user + system) / 1e6, bytes() - before];
    if (seconds > SECONDS || more > BYTES)
      // What it gave does not count then.
      // oxlint-disable-next-line no-unsafe-finally
      throw new RangeError(`reading a file took ${seconds} s and ${more} bytes`);
  }
}

const encoder = new TextEncoder();

/** One to four changes: a byte, a run of bytes, a token written over the file, a cut, a repetition. */
export function mutated(
  random: Random,
  original: Uint8Array<ArrayBuffer>,
  upTo = original.length,
): Uint8Array<ArrayBuffer> {
  let bytes = original.slice();
  for (let change = random.integer(4); change >= 0; change--) {
    const at = random.integer(Math.min(upTo, Math.max(1, bytes.length)));
    const kind = random.integer(8);
    if (kind < 2) bytes[at] = random.integer(256);
    else if (kind < 3) bytes.fill(random.integer(128), at, at + random.integer(12));
    else if (kind < 6) {
      const token = encoder.encode((TOKENS[random.integer(TOKENS.length)] ?? '').padEnd(random.integer(9)));
      bytes.set(token.subarray(0, bytes.length - at), at);
    } else if (kind < 7) bytes = bytes.slice(0, random.integer(bytes.length + 1));
    else {
      const from = random.integer(bytes.length + 1);
      bytes = new Uint8Array([
        ...bytes.subarray(0, at),
        ...bytes.subarray(from, from + 64),
        ...bytes.subarray(at),
      ]);
    }
  }
  return bytes;
}
