/**
 * PyTorch's files (torch.save since 1.6): a zip with `data.pkl`, and every storage's bytes in `data/KEY`, below one
 * folder. Read without running anything the file names.
 */
import { pickle } from './pickle';
import type { PythonValue } from './python';
import { unpickle } from './unpickle';
import { readZip, writeZip } from './zip';

/** A file that is no PyTorch file, or not one of ours: a sentence about what is missing. */
export class TorchFileError extends Error {
  override name = 'TorchFileError';
}

const FOLDER = 'archive';
const LITTLE_ENDIAN = 'little';
/** The version of the container that PyTorch 1.6 and all later ones write. */
const VERSION = '3\n';
/** A pickle's protocol mark, with which files of older PyTorch versions start. */
const PICKLE_START = 0x80;

const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);

/** The parts of a file, in order: `new Blob(parts)` is what torch.load reads. Tensors are not copied. */
export function writeTorch(value: PythonValue): Uint8Array<ArrayBuffer>[] {
  const { bytes, storages } = pickle(value);
  return writeZip(
    new Map([
      [`${FOLDER}/data.pkl`, bytes],
      [`${FOLDER}/byteorder`, text(LITTLE_ENDIAN)],
      ...storages.map((storage, key) => [`${FOLDER}/data/${key}`, storage] as const),
      [`${FOLDER}/version`, text(VERSION)],
    ]),
  );
}

/** What torch.save saved. Throws TorchFileError, ZipError or PickleError; tensors are views of `file` where they can be. */
export function readTorch(file: Uint8Array<ArrayBuffer>): PythonValue {
  if (file[0] === PICKLE_START)
    throw new TorchFileError(
      'this PyTorch file was written before version 1.6; load it with a current PyTorch and save it again',
    );
  const files = readZip(file);
  const pickles = [...files.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [name] = pickles;
  const bytes = name === undefined ? undefined : files.get(name);
  if (name === undefined || bytes === undefined || pickles.length > 1)
    throw new TorchFileError(`this zip is no PyTorch file: it has ${pickles.length} files data.pkl, not one`);
  const folder = name.slice(0, -'data.pkl'.length);
  const byteOrder = files.get(`${folder}byteorder`);
  if (byteOrder && new TextDecoder().decode(byteOrder).trim() !== LITTLE_ENDIAN)
    throw new TorchFileError('this PyTorch file was written on a big-endian machine, which is not read');
  return unpickle(bytes, {
    get: (key) => files.get(`${folder}data/${key}`),
    budget: file.length,
  });
}
