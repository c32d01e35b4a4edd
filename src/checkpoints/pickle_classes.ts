/** What a pickle may name, and nothing else: the classes of PyTorch's checkpoints and of paths. */
import { STORAGES, type PythonValue, type StorageDType, type StorageName } from './python';

/** A name that the pickle may use in the place of a function or a class. */
export class Global {
  constructor(readonly name: string) {}
}

export class Storage {
  constructor(
    readonly dtype: StorageDType,
    readonly bytes: Uint8Array<ArrayBuffer>,
  ) {}
}

export type Item = PythonValue | Global | Storage;

/** Storages by key, and the bytes that tensors may take which are no views of them. */
export interface Storages {
  readonly get: (key: string) => Uint8Array<ArrayBuffer> | undefined;
  readonly budget: number;
}

/** Whether the name is of one of PyTorch's storages whose element type is known here. */
export const isStorageName = (name: string): name is StorageName => Object.hasOwn(STORAGES, name);

const PATHS = ['PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath'];
export const KNOWN = new Set([
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  ...Object.keys(STORAGES).map((name) => `torch.${name}`),
  // Python 3.13 says pathlib._local. The trainer's configuration holds paths; they are read as text.
  ...PATHS.flatMap((name) => [`pathlib.${name}`, `pathlib._local.${name}`]),
]);
