/** The Python values that a checkpoint may hold. */
import type { SafetensorsTensor } from './safetensors';

export class Tuple {
  constructor(readonly items: readonly PythonValue[]) {}
}

/** Python's collections.OrderedDict, as PyTorch's state dicts are; a plain Map is a dict. */
export class OrderedDict extends Map<PythonKey, PythonValue> {}

export type PythonKey = string | number | bigint | boolean | null;

/** Whole numbers are Python's int (bigint where they exceed 2⁵³), other numbers its float. */
export type PythonValue =
  | PythonKey
  | readonly PythonValue[]
  | Tuple
  | ReadonlyMap<PythonKey, PythonValue>
  | SafetensorsTensor;

/** Whether an unpickled value is a tensor, with the types of safetensors. */
export const isTensor = (value: PythonValue | undefined): value is SafetensorsTensor =>
  typeof value === 'object' && value !== null && 'dtype' in value;

/** Whether an unpickled value is a dict or an OrderedDict. */
export const isDict = (value: PythonValue | undefined): value is ReadonlyMap<PythonKey, PythonValue> =>
  value instanceof Map;

/** PyTorch's typed storages, and what they hold. */
export const STORAGES = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
} as const;

export type StorageName = keyof typeof STORAGES;
export type StorageDType = (typeof STORAGES)[StorageName];
