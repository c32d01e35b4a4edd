export type EngineErrorKind =
  | 'unsupported'
  | 'compilation'
  | 'validation'
  | 'out-of-memory'
  | 'internal'
  | 'device-lost'
  /** There is none since it was lost. */
  | 'held-back';

/** Anything the GPU rejects. `where` names the operation and its shapes. */
export class EngineError extends Error {
  override name = 'EngineError';
  constructor(
    readonly kind: EngineErrorKind,
    readonly where: string,
    readonly detail: string,
  ) {
    super(`${where}: ${detail}`);
  }
}
