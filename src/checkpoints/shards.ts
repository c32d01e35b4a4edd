/** A training state as the store keeps it: shards of bytes, and a manifest that says what they are and what they must be. */
import { sha256 } from '../base/sha256';
import {
  checkState,
  decodeProgress,
  encodeProgress,
  GROUPS,
  StateError,
  type FloatTensor,
  type Group,
  type TrainingState,
} from './state';

/** One large buffer blocks its thread for seconds, and very large ones kill the page. Exported for its tests. */
export const SHARD_BYTES = 16 * 1024 * 1024;

export interface Manifest {
  /** In the order of their bytes. */
  readonly tensors: readonly {
    readonly group: Group;
    readonly name: string;
    readonly shape: readonly number[];
  }[];
  readonly shards: readonly { readonly bytes: number; readonly sha256: string }[];
  /** `encodeProgress`. */
  readonly progress: string;
}

/** The state's tensors, one after the other, cut at 16 MiB; copied, so that `state` may change afterwards. */
export function packShards(state: TrainingState): Uint8Array<ArrayBuffer>[] {
  checkState(state);
  const tensors = GROUPS.flatMap((group) => [...state[group].values()]);
  let left = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  const shards: Uint8Array<ArrayBuffer>[] = [];
  for (; left > 0; left -= SHARD_BYTES) shards.push(new Uint8Array(Math.min(left, SHARD_BYTES)));
  forEachPiece(
    tensors.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    (shard, at, piece) => shards[shard]?.set(piece, at),
  );
  return shards;
}

/** The manifest of `packShards(state)`: names and shapes in the order of the bytes, and each shard's SHA-256. */
export async function describeShards(
  state: TrainingState,
  shards: readonly Uint8Array<ArrayBuffer>[],
): Promise<Manifest> {
  const described: { bytes: number; sha256: string }[] = [];
  for (const shard of shards) described.push({ bytes: shard.length, sha256: await sha256(shard) });
  return {
    tensors: GROUPS.flatMap((group) =>
      [...state[group]].map(([name, { shape }]) => ({ group, name, shape })),
    ),
    shards: described,
    progress: encodeProgress(state.progress),
  };
}

/** The state of a manifest and its shards, both verified. */
export function unpackShards(manifest: Manifest, shards: readonly Uint8Array[]): TrainingState {
  const groups: Record<Group, Map<string, FloatTensor>> = {
    parameters: new Map(),
    firstMoments: new Map(),
    secondMoments: new Map(),
    buffers: new Map(),
  };
  const contents = manifest.tensors.map(({ group, name, shape }) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    groups[group].set(name, { shape, data });
    return new Uint8Array(data.buffer);
  });
  forEachPiece(contents, (shard, at, piece) => {
    const from = shards[shard]?.subarray(at, at + piece.length);
    if (from?.length !== piece.length) throw new StateError(`the shards end before the tensors do`);
    piece.set(from);
  });
  return { ...groups, progress: decodeProgress(manifest.progress) };
}

/** Visits the pieces into which shards cut the contents. */
function forEachPiece(
  contents: readonly Uint8Array[],
  visit: (shard: number, at: number, piece: Uint8Array) => void,
): void {
  let position = 0;
  for (const content of contents)
    for (let done = 0; done < content.length;) {
      const at = position % SHARD_BYTES;
      const piece = content.subarray(done, done + SHARD_BYTES - at);
      visit(Math.floor(position / SHARD_BYTES), at, piece);
      done += piece.length;
      position += piece.length;
    }
}
