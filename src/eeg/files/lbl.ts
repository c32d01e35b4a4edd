/**
 * Label files of the TUH corpora before version 2, `.lbl` and `.lbl_bi`: symbols by number, and labels as
 * `{level, sublevel, start, stop, channel, [probability of each symbol]}`.
 */
import { quoted } from '../../base/text';
import { DataError } from '../errors';
import type { Annotations, LabelledEvent } from './labels';

const NUMBER = String.raw`\s*([\d.eE+-]+)\s*`;
const LABEL = new RegExp(
  String.raw`^label\s*=\s*\{\s*(\d+)\s*,\s*\d+\s*,${NUMBER},${NUMBER},\s*([^,\[]+?)\s*,\s*\[(.*)\]\s*\}`,
  'i',
);

/** Throws DataError that names the line. */
export function parseLbl(file: string, lines: readonly string[]): Annotations {
  const symbols = new Map<string, Map<number, string>>();
  const channels = new Map<string, string>();
  const events: LabelledEvent[] = [];
  let started = false;
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const reject = (problem: string): never => {
      throw new DataError(file, `line ${index + 1}`, problem);
    };
    if (!started && !/^version\s*=\s*lbl_v/i.test(line))
      reject(`${quoted(line)} stands where version = lbl_v1.0.0 should`);
    started = true;
    const [, number = '', name = ''] = /^montage\s*=\s*(\d+)\s*,\s*([^:]+):/i.exec(line) ?? [];
    if (number !== '') channels.set(number, name.trim());
    const [, level = '', listed = ''] = /^symbols\[(\d+)\]\s*=\s*\{(.*)\}/i.exec(line) ?? [];
    if (level !== '') {
      const known = [...listed.matchAll(/(\d+)\s*:\s*['"]([^'"]*)['"]/g)];
      symbols.set(level, new Map(known.map(([, at, symbol = '']) => [Number(at), symbol.toLowerCase()])));
    }
    if (!/^label\s*=/i.test(line)) continue;
    const [, of = '', from = '', to = '', channel = '', shares = ''] = LABEL.exec(line) ?? [];
    const probabilities = shares.split(',').map(Number);
    const [start, stop] = [Number(from), Number(to)];
    if (
      from === '' ||
      !(start >= 0 && stop >= start && stop < 3.6e9) ||
      !probabilities.every(Number.isFinite)
    )
      reject(
        `${quoted(line)} is no label of the form {level, sublevel, start, stop, channel, [probabilities]}`,
      );
    let best = 0;
    for (const [i, probability] of probabilities.entries())
      if (probability > (probabilities[best] ?? 0)) best = i;
    const label = symbols.get(of)?.get(best);
    if (label === undefined) return reject(`no symbol has the number ${best}`);
    const confidence = Math.min(1, Math.max(0, probabilities[best] ?? 0));
    events.push({ channel: channels.get(channel) ?? channel, start, stop, label, confidence });
  }
  if (!started)
    throw new DataError(file, 'header', 'the line version = lbl_v1.0.0 is missing: this is no label file');
  return { duration: null, events, warnings: [] };
}
