/**
 * Reads files of strangers, away from whoever shows and trains: weights, states, logs, what a recording is and its
 * annotations.
 */
import { expose, transfer } from 'comlink';
import type { FloatTensors } from '../checkpoints/state';
import { readWeightsFile, type DetectorWeights } from '../detection/weights';
import type { EdfAnnotation } from '../eeg/files/edf/file';
import type { SeizureTexts } from '../eeg/files/edf_labels';
import { inspectRecording, openEdf, type RecordingFiles, type RecordingInfo } from '../eeg/files/recording';
import { MAX_ANNOTATIONS } from './protocol';
import { readLogs, type ReadLog } from './logs/read_log';
import { readRunFile, type RunFile } from './run_file';

const bytesOf = async (file: Blob): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await file.arrayBuffer());

/** Tensors are handed over, not copied. */
function given<T>(value: T, ...groups: readonly FloatTensors[]): T {
  const buffers = groups.flatMap((group) => [...group.values()].map(({ data }) => data.buffer));
  return transfer(value, [...new Set(buffers)]);
}

const reader = {
  async weights(file: Blob): Promise<DetectorWeights> {
    const weights = readWeightsFile(await bytesOf(file));
    return given(weights, weights.parameters, weights.buffers);
  },
  async run(file: Blob): Promise<RunFile> {
    const read = readRunFile(await bytesOf(file));
    const { parameters, buffers, firstMoments, secondMoments } = read.state;
    return given(read, parameters, buffers, firstMoments, secondMoments);
  },
  logs: (file: File): Promise<ReadLog[]> => readLogs(file),
  recording: (files: RecordingFiles, seizureTexts: SeizureTexts): Promise<RecordingInfo> =>
    inspectRecording(files, seizureTexts),
  async annotations(files: RecordingFiles): Promise<readonly EdfAnnotation[]> {
    const { events } = await (await openEdf(files)).annotations();
    return events.slice(0, MAX_ANNOTATIONS);
  },
};
export type FilesReader = typeof reader;

expose(reader);
