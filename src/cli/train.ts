/** `npx smokescan train`: what the page does, in a terminal, on the engine in Node. */
import { capital, stemOf } from '../base/text';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { write } from '../checkpoints/safetensors';
import type { TrainingState } from '../checkpoints/state';
import { writeCsvBi } from '../eeg/files/csv_bi';
import { outputNames } from '../eeg/events/output_names';
import { memorySource } from '../eeg/files/bytes';
import { pairFiles, type DataFile, type RecordingInfo } from '../eeg/files/recording';
import { DEMO_CORPUS, syntheticCorpus } from '../eeg/synthetic/corpus';
import { Dataset, KEEP_BYTES, openRecordings } from '../eeg/windows/dataset';
import { splitSentence } from '../eeg/windows/split';
import type { Parameters } from '../engine/packs';
import { SettingsError } from '../run/failure';
import { MemoryCheckpoints, type Checkpoints } from '../training/checkpoints';
import { fitted } from '../training/config';
import { trainerCheckpoint } from '../training/export';
import type { EegEvent } from '../training/protocol';
import { detectorConfigOf, type EegSettings } from '../training/settings';
import { EegTrainer } from '../training/trainer';
import { FileCheckpoints } from './file_checkpoints';
import { fileChoices } from './kernel_choices';
import { runStoppable } from './stoppable';
import { requestNodeDevice } from './node_device';
import { checkWritable, writeWhole } from './output_files';
import { openFolder, type RecordingFolder } from './recording_folder';
import { ArgumentError, numberOf, runCommand } from './command_line';
import { COMMAND, givenBy, resumedSettings, type TrainArguments } from './train_options';
import { jsonReport, progressReport, reportRemarks } from './train_report';

/** Command `train`. */
export const main = (args: readonly string[]): Promise<number> => runCommand(COMMAND, args, run);

async function run(asked: TrainArguments): Promise<number> {
  let folder: RecordingFolder | undefined;
  try {
    const given = await givenBy(asked);
    const checkpoints = checkpointsOf(asked);
    const { out, resume } = asked.values;
    if (out !== undefined && !resume) await checkWritable(out);
    const from = await stateIn(checkpoints, asked);
    const settings = from ? resumedSettings(from, given, asked) : await settingsHere(given.settings, asked);
    const { dataDir } = given;
    if (dataDir !== undefined) folder = await openFolder(dataDir);
    for (const remark of folder?.remarks ?? []) console.error(remark);
    return await train(settings, folder?.files ?? synthetic(), asked.values, checkpoints, from);
  } finally {
    await folder?.close();
  }
}

/** The settings as the device here can train them, unless the arguments name a precision. */
async function settingsHere(asked: EegSettings, { more }: TrainArguments): Promise<EegSettings> {
  if ('precision' in more || asked.precision === 'float32') return asked;
  // Where there is no device, the trainer does not get one either, and says why.
  const device = await requestNodeDevice().catch(() => undefined);
  if (!device) return asked;
  const { settings, message } = fitted(asked, device.capabilities);
  if (message) console.error(message);
  return settings;
}

type RunCheckpoints = Checkpoints & { best(): Promise<TrainingState | undefined> };

function checkpointsOf({ values: { out, resume }, more }: TrainArguments): RunCheckpoints {
  if (out !== undefined) return new FileCheckpoints(out);
  if (resume) throw new ArgumentError('--resume needs --out: the folder with the state of the run');
  if ('every' in more) throw new ArgumentError('--every needs --out: a folder to save the state in');
  return new MemoryCheckpoints();
}

/** The state to resume from; undefined where a new run starts. */
async function stateIn(
  checkpoints: RunCheckpoints,
  { values: { out, resume } }: TrainArguments,
): Promise<TrainingState | undefined> {
  const state = await checkpoints.latest();
  if (!resume) {
    if (!state && !checkpoints.damaged) return undefined;
    throw new ArgumentError(
      `--out ${String(out)} has the state of a run${state ? `, of step ${state.progress.step}` : ''}: resume it with --resume, or give another folder`,
    );
  }
  if (!state && checkpoints.damaged) throw new SettingsError(checkpoints.damaged);
  if (!state)
    throw new ArgumentError(`--resume: ${String(out)} has no last.state.safetensors to resume from`);
  if (checkpoints.damaged)
    console.error(`${checkpoints.damaged} The run resumes from the state of step ${state.progress.step}.`);
  return state;
}

const synthetic = (): DataFile[] =>
  [...syntheticCorpus(DEMO_CORPUS)].map(({ path, bytes }) => ({ path, data: memorySource(bytes) }));

async function train(
  settings: EegSettings,
  files: readonly DataFile[],
  { 'seizure-text': texts, limit, json, out }: TrainArguments['values'],
  checkpoints: RunCheckpoints,
  from: TrainingState | undefined,
): Promise<number> {
  const folder = await openRecordings(pairFiles(files), limit ?? limitOfTrainer(), undefined, texts);
  for (const { reason } of folder.rejected) console.error(`skipped: ${reason}`);
  reportRemarks(folder.recordings, json);
  if (folder.recordings.every(({ unusable }) => unusable !== null)) {
    console.error(
      folder.recordings.length + folder.rejected.length === 0
        ? 'No recordings (.edf, .bdf) are in the folder; give the folder that holds them with --data.'
        : 'None of the recordings in the folder can be used, for the reasons above; give another folder with --data.',
    );
    return 1;
  }
  if (!json) console.error(capital(splitSentence(folder.recordings, settings.split)));
  const report = json ? jsonReport : progressReport();
  let last: EegEvent | undefined;
  let validated: Validated | undefined;
  let chosen = settings;
  const trainer = new EegTrainer({
    checkpoints,
    device: requestNodeDevice,
    dataset: new Dataset(folder, KEEP_BYTES, undefined, settings.interpolation),
    settings,
    tuning: fileChoices(),
    ...(from && { from }),
    emit: (event) => {
      report(event);
      if (event.type === 'planned') chosen = event.settings;
      if (event.type === 'validated') validated = event;
      last = event;
    },
    keep: async (parameters) => {
      if (out !== undefined) await writeWeights(out, parameters, chosen);
    },
  });
  await runStoppable(trainer);
  if (out !== undefined) {
    await writeTorchCheckpoints(out, checkpoints, chosen);
    if (validated) await writeResults(out, validated, folder.recordings);
  }
  return exitCodeOf(last);
}

type Validated = Extract<EegEvent, { type: 'validated' }>;

/** weights.safetensors: parameters and running statistics. `settings`: with the width as a number. */
async function writeWeights(out: string, parameters: Parameters, settings: EegSettings): Promise<void> {
  const slices = [...parameters.layout.slices, ...parameters.bufferLayout.slices];
  const values = new Map([...(await parameters.read('value')), ...(await parameters.read('buffer'))]);
  const tensors = new Map(
    slices.map(([name, { shape }]) => [
      name,
      { dtype: 'F32' as const, shape, data: values.get(name) as Float32Array<ArrayBuffer> },
    ]),
  );
  const config = detectorConfigOf(settings.model, Number(settings.model.baseChannels));
  await mkdir(out, { recursive: true });
  await writeFile(
    join(out, 'weights.safetensors'),
    write(tensors, { format: 'smokescan', config: JSON.stringify(config) }),
  );
}

/** last.pt and best.pt, which the trainer resumes from. */
async function writeTorchCheckpoints(
  out: string,
  checkpoints: RunCheckpoints,
  settings: EegSettings,
): Promise<void> {
  const states = { 'last.pt': await checkpoints.latest(), 'best.pt': await checkpoints.best() };
  for (const [name, state] of Object.entries(states))
    if (state) await writeFile(join(out, name), Buffer.concat(trainerCheckpoint(state, settings)));
}

/** scores.json, and the detected events of each validated recording. */
async function writeResults(
  out: string,
  { results, ...scores }: Validated,
  recordings: readonly RecordingInfo[],
): Promise<void> {
  await writeFile(join(out, 'scores.json'), `${JSON.stringify(scores, null, 2)}\n`);
  const names = outputNames(recordings.map(({ path }) => path));
  for (const { recording, predicted } of results) {
    const [info, name] = [recordings[recording], names[recording]];
    if (!info || !name) continue;
    const stem = stemOf(info.path);
    await writeWhole(join(out, name.csvBi), [writeCsvBi(stem, info.duration, predicted)]);
  }
}

/** By the last event of a run. */
export const exitCodeOf = (last: EegEvent | undefined): 0 | 1 =>
  last?.type === 'finished' && last.reason !== 'collapse' ? 0 : 1;

/** The number of recordings that the environment limits a run to, as the trainer reads it. */
function limitOfTrainer(): number {
  const given = process.env['BGB_LIMIT_FILES'] ?? '';
  return given === '' ? Infinity : numberOf(given, 'BGB_LIMIT_FILES', { whole: true, min: 1 });
}
