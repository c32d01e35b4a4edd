/** Synthetic recordings as files: EDF and csv_bi, named as TUSZ names them, to be read like any others. */
import { SAMPLE_RATE } from '../../base/production';
import { fileName } from '../../base/text';
import { writeCsvBi } from '../files/csv_bi';
import { writeEdf } from '../files/edf/write';
import { Random } from '../../base/random';
import { CHANNELS } from '../signal/montage';
import { generate, type SyntheticRecording } from './generator';

export interface CorpusSettings {
  readonly seed: number;
  readonly patients: number;
  readonly recordingsPerPatient: number;
  /** Seconds of each recording. */
  readonly duration: number;
  /** Of each recording, about. */
  readonly seizures: number;
  /** See SyntheticSettings. */
  readonly onset?: number;
}

export interface CorpusFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Small enough to be ready in a second or two, large enough to learn from; its seizures are seen from their start. */
export const DEMO_CORPUS: CorpusSettings = {
  seed: 42,
  patients: 6,
  recordingsPerPatient: 1,
  duration: 600,
  seizures: 6,
  onset: 0.45,
};

/** Both files of a recording. Physical limits of ±3276.8 µV make a digital step 0.1 µV. */
export function recordingFiles(path: string, recording: SyntheticRecording): [CorpusFile, CorpusFile] {
  const { signals, rate, duration, seizures } = recording;
  const edf = writeEdf({
    kind: 'EDF',
    patient: 'X X X synthetic',
    recording: 'Startdate X X X Smokescan',
    recordDuration: 1,
    signals: signals.map((values, channel) => ({
      label: `EEG ${(CHANNELS[channel] ?? '').toUpperCase()}-REF`,
      unit: 'uV',
      rate,
      physicalMinimum: -3276.8,
      physicalMaximum: 3276.7,
      values,
    })),
  });
  const name = fileName(path);
  const events = seizures.map(({ start, stop }) => ({ start, end: stop }));
  const csv = writeCsvBi(name, duration, events, { background: true });
  return [
    { path: `${path}.edf`, bytes: edf },
    { path: `${path}.csv_bi`, bytes: new TextEncoder().encode(csv) },
  ];
}

/** The files of one recording after the other; the same settings give the same bytes. */
export function* syntheticCorpus(settings: CorpusSettings): Generator<CorpusFile> {
  const { seed, patients, recordingsPerPatient, duration, seizures, onset } = settings;
  for (let patient = 0; patient < patients; patient++)
    for (let take = 0; take < recordingsPerPatient; take++) {
      const name = `synth${String(patient).padStart(3, '0')}_s001_t${String(take).padStart(3, '0')}`;
      const random = new Random(seed, name);
      const recording = generate({
        seed: random.bits(),
        duration,
        seizures: seizures > 1 ? seizures - random.integer(2) : seizures,
        onset,
        rate: SAMPLE_RATE,
        lineFrequency: 60,
      });
      yield* recordingFiles(`synth${String(patient).padStart(3, '0')}/${name}`, recording);
    }
}
