import type { ByteSource } from '../../../src/eeg/files/bytes';
import { writeEdf } from '../../../src/eeg/files/edf/write';
import { CHANNELS } from '../../../src/eeg/signal/montage';

/** A recording of the 19 electrodes of any length whose samples are made up when they are read. */
export function longRecording(
  hours: number,
  rate = 256,
): { readonly source: ByteSource; readonly bytesRead: () => number } {
  const records = Math.round(hours * 3600);
  const header = headerOf(records, rate);
  const size = header.length + records * CHANNELS.length * rate * 2;
  let total = 0;
  const source: ByteSource = {
    size,
    read(offset, length) {
      if (offset + length > size) return Promise.reject(new RangeError('behind the end'));
      total += length;
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) {
        const at = offset + i - header.length;
        // Noise: the same at the same place, whatever is read with it. The upper byte of a sample stays small.
        const noise = Math.imul(at ^ (at >>> 15), 0x2c1b3c6d) >>> 24;
        bytes[i] = at < 0 ? (header[offset + i] ?? 0) : at % 2 === 0 ? noise : noise % 2;
      }
      return Promise.resolve(bytes);
    },
  };
  return { source, bytesRead: () => total };
}

function headerOf(records: number, rate: number): Uint8Array {
  const one = writeEdf({
    kind: 'EDF',
    recordDuration: 1,
    signals: CHANNELS.map((label) => ({
      label,
      unit: 'uV',
      rate,
      physicalMinimum: -3276.8,
      physicalMaximum: 3276.7,
      values: new Float32Array(rate),
    })),
  });
  const header = one.slice(0, one.length - CHANNELS.length * rate * 2);
  header.set(new TextEncoder().encode(String(records).padEnd(8)), 236);
  return header;
}
