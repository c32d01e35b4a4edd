/** Files as slices: nothing here ever holds more of a file than was asked for. */

export interface ByteSource {
  /** Bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; rejects with RangeError where the file ends before that. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What of a Node `FileHandle` is needed; so this room imports nothing of Node. */
export interface ReadableHandle {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
}

function checkRange(size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size))
    throw new RangeError(`bytes ${offset} to ${offset + length} of a file of ${size} bytes`);
}

/** A File of the page, or any Blob. */
export function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    async read(offset, length) {
      checkRange(blob.size, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

/** An open file of Node: `handleSource(await open(path), (await stat(path)).size)`. The caller closes it. */
export function handleSource(handle: ReadableHandle, size: number): ByteSource {
  return {
    size,
    async read(offset, length) {
      checkRange(size, offset, length);
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0)
          throw new RangeError(`the file ended at byte ${offset + done} while it was read`);
        done += bytesRead;
      }
      return bytes;
    },
  };
}

/** Bytes that are in memory already; what is read are views of them. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    async read(offset, length) {
      checkRange(bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
}
