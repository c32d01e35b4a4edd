/**
 * CHB-MIT's `.seizures`: annotations in the MIT format of WFDB (https://physionet.org/physiotools/wag/annot-5.htm), of which
 * `[` starts a seizure and `]` ends it, in samples.
 */
import { DataError } from '../errors';
import type { Annotations, LabelledEvent } from './labels';

/** Hz, of all recordings of the corpus; a note may give another one. */
const RATE = 256;

const [NOTE, START, END, SKIP, NUM, SUB, CHN, AUX] = [22, 32, 33, 59, 60, 61, 62, 63];

/** Throws DataError for bytes that are no such file. */
export function parseSeizures(file: string, bytes: Uint8Array): Annotations {
  const word = (at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  const events: LabelledEvent[] = [];
  let [sample, rate] = [0, RATE];
  let start: number | undefined;
  let ended = false;
  let type = -1;
  for (let at = 0; at + 1 < bytes.length && !ended;) {
    const [code, interval] = [word(at) >> 10, word(at) & 0x3ff];
    at += 2;
    if (code === 0 && interval === 0) ended = true;
    else if (code === SKIP) {
      // A long interval, its upper half first.
      sample += (word(at) << 16) | word(at + 2);
      at += 4;
    } else if (code === AUX) {
      const text = String.fromCharCode(...bytes.subarray(at, at + Math.min(interval, 255)));
      const resolution = Number(/time resolution:\s*([\d.]+)/.exec(text)?.[1]);
      if (type === NOTE && resolution > 0) rate = resolution;
      at += interval + (interval % 2);
    } else if (code !== NUM && code !== SUB && code !== CHN) {
      type = code;
      sample += interval;
      if (code === START) start = sample;
      else if (code === END && start !== undefined) {
        events.push({
          channel: null,
          start: start / rate,
          stop: sample / rate,
          label: 'seiz',
          confidence: 1,
        });
        start = undefined;
      }
    }
  }
  if (!ended || start !== undefined || events.some(({ start, stop }) => !(stop >= start && start >= 0)))
    throw new DataError(file, 'contents', 'they are no annotations in the MIT format, or not all of them');
  return { duration: null, events, warnings: [] };
}
