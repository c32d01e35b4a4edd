/** The 19 electrodes of the international 10-20 system and the names that files give them, by the trainer's rules. */

/** In the order of the model's input. */
export const CHANNELS = [
  'Fp1',
  'F3',
  'C3',
  'P3',
  'F7',
  'T3',
  'T5',
  'O1',
  'Fz',
  'Cz',
  'Pz',
  'Fp2',
  'F4',
  'C4',
  'P4',
  'F8',
  'T4',
  'T6',
  'O2',
] as const;
export type Channel = (typeof CHANNELS)[number];

/** Names of the newer 10-10 system. */
const SYNONYMS: ReadonlyMap<string, Channel> = new Map([
  ['T7', 'T3'],
  ['T8', 'T4'],
  ['P7', 'T5'],
  ['P8', 'T6'],
]);

const BY_UPPER_CASE: ReadonlyMap<string, Channel> = new Map(
  CHANNELS.map((channel) => [channel.toUpperCase(), channel]),
);

/** `EEG FP1-REF` → Fp1, `T7` → T3; null for what is none of the 19. */
export function channelOf(label: string): Channel | null {
  const name = label
    .toUpperCase()
    .replaceAll(' ', '')
    .replace(/^EEG/, '')
    .replace(/-(LE|REF|AR)$/, '');
  return BY_UPPER_CASE.get(name) ?? SYNONYMS.get(name) ?? null;
}
