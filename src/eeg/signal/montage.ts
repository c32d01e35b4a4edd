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

/** The name of an electrode without what recorders put around it, in capitals: `EEG FP1-REF` → FP1. */
const bareName = (label: string): string =>
  label
    .toUpperCase()
    .replaceAll(' ', '')
    .replace(/^EEG/, '')
    .replace(/-(LE|REF|AR)$/, '');

/** The electrodes that MNE's montage standard_1020 has a position of, in capitals. */
const STANDARD_1020 = new Set(
  (
    'FP1 FPZ FP2 AF9 AF7 AF5 AF3 AF1 AFZ AF2 AF4 AF6 AF8 AF10 F9 F7 F5 F3 F1 FZ F2 F4 F6 F8 F10 FT9 FT7 FC5 FC3 FC1 FCZ FC2 ' +
    'FC4 FC6 FT8 FT10 T9 T7 C5 C3 C1 CZ C2 C4 C6 T8 T10 TP9 TP7 CP5 CP3 CP1 CPZ CP2 CP4 CP6 TP8 TP10 P9 P7 P5 P3 P1 PZ P2 P4 ' +
    'P6 P8 P10 PO9 PO7 PO5 PO3 PO1 POZ PO2 PO4 PO6 PO8 PO10 O1 OZ O2 O9 IZ O10 T3 T5 T4 T6 M1 M2 A1 A2'
  ).split(' '),
);

/** Whether MNE knows where the electrode of that label is. */
export const hasPosition = (label: string): boolean => STANDARD_1020.has(bareName(label));

/** `EEG FP1-REF` → Fp1, `T7` → T3; null for what is none of the 19. */
export function channelOf(label: string): Channel | null {
  const name = bareName(label);
  return BY_UPPER_CASE.get(name) ?? SYNONYMS.get(name) ?? null;
}

/** References that the trainer does not know: `Fp1-Avg`, as SzCORE writes it in data sets of BIDS, `Fp1-Ref1`. */
const OTHER_REFERENCE = /-(AVG|AVE?|CAR|REF\d+)\s*$/i;

/** `Fp1-Avg` → Fp1; null where the trainer's rules give a name, and for what is none of the 19. */
export const otherwiseReferenced = (label: string): Channel | null =>
  OTHER_REFERENCE.test(label) ? channelOf(label.replace(OTHER_REFERENCE, '')) : null;
