/** How fast one worker takes recordings through the trainer's preprocessing. */
import { cpus } from 'node:os';
import { memorySource } from '../../src/eeg/files/bytes';
import { openRecordings } from '../../src/eeg/windows/dataset';
import { prepareRecording } from '../../src/eeg/signal/prepare';
import { pairFiles, type RecordingFiles, type RecordingInfo } from '../../src/eeg/files/recording';
import { recordingFiles } from '../../src/eeg/synthetic/corpus';
import { generate } from '../../src/eeg/synthetic/generator';

/** 256 Hz needs no resampling; 250 Hz is what most of the corpus has. */
const RATES = [256, 250] as const;
const MINUTES = 20;
const ROUNDS = 3;

/** Command `bench-eeg`: for each rate hours of EEG a second, the best of three rounds. */
export async function main(): Promise<number> {
  console.log(`${cpus()[0]?.model.trim() ?? 'unknown processor'}, one thread, ${MINUTES} min of 19 channels`);
  for (const rate of RATES) {
    const settings = { seed: 1, duration: 60 * MINUTES, seizures: 2, rate, lineFrequency: 60 };
    const files = recordingFiles('bench', generate(settings));
    const { files: paired, recordings } = await openRecordings(
      pairFiles(files.map(({ path, bytes }) => ({ path, data: memorySource(bytes) }))),
    );
    const [file, info] = [paired[0] as RecordingFiles, recordings[0] as RecordingInfo];
    let best = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      for await (const part of prepareRecording(file, info))
        if (!part.values.every(Number.isFinite)) throw new Error('preprocessing gave what is not a number');
      best = Math.min(best, performance.now() - started);
    }
    const hours = MINUTES / 60 / (best / 1000);
    console.log(`${rate} Hz: ${best.toFixed(0)} ms, ${hours.toFixed(2)} hours of EEG a second`);
  }
  return 0;
}
