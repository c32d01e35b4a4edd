/** `npx smokescan train`: what the page does, in a terminal, on the engine in Node. */
import { capital } from '../base/text';
import type { TrainingState } from '../checkpoints/state';
import { memorySource } from '../eeg/files/bytes';
import { pairFiles, type DataFile } from '../eeg/files/recording';
import { DEMO_CORPUS, syntheticCorpus } from '../eeg/synthetic/corpus';
import { Dataset, KEEP_BYTES, openRecordings } from '../eeg/windows/dataset';
import { splitSentence } from '../eeg/windows/split';
import { SettingsError } from '../run/failure';
import { MemoryCheckpoints } from '../training/checkpoints';
import { fitted } from '../training/config';
import type { EegEvent } from '../training/protocol';
import type { EegSettings } from '../training/settings';
import { EegTrainer } from '../training/trainer';
import { COMMAND_ADVICE } from './command_advice';
import { ArgumentError, numberOf, runCommand } from './command_line';
import { FileCheckpoints } from './file_checkpoints';
import { fileChoices } from './kernel_choices';
import { requestNodeDevice } from './node_device';
import { OutputFolder } from './output_files';
import { complain } from './print';
import { openFolder, type RecordingFolder } from './recording_folder';
import { RunLog } from './run_log';
import { stoppable, type Signals } from './signals';
import { COMMAND, givenBy, resumedSettings, type TrainArguments } from './train_options';
import { jsonReport, progressReport, reportRemarks } from './train_report';
import { resultNames, RunResults } from './train_results';

/** Command `train`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, (asked) => stoppable((signals) => run(asked, signals)));

/** Where a run is kept; `out` is undefined where that is in memory alone. */
interface Kept {
  readonly out: OutputFolder | undefined;
  readonly log: RunLog | undefined;
  readonly checkpoints: FileCheckpoints | MemoryCheckpoints;
}

async function run(asked: TrainArguments, signals: Signals): Promise<number> {
  let folder: RecordingFolder | undefined;
  let out: OutputFolder | undefined;
  try {
    const given = await givenBy(asked);
    out = await openOut(asked);
    const log = out && new RunLog(out);
    const checkpoints = out && log ? new FileCheckpoints(out, log) : new MemoryCheckpoints();
    const from = await stateIn(checkpoints, asked);
    const unlogged = from ? await log?.resume(from.progress.step) : null;
    if (unlogged) complain(unlogged);
    const settings = from ? resumedSettings(from, given, asked) : await settingsHere(given.settings, asked);
    const { dataDir } = given;
    if (dataDir !== undefined) folder = await openFolder(dataDir, signals.check);
    for (const remark of folder?.remarks ?? []) complain(remark);
    const files = folder?.files ?? synthetic();
    return await train(settings, files, asked.values, { out, log, checkpoints }, from, signals);
  } finally {
    await folder?.close();
    await out?.close();
  }
}

/** The settings as the device here can train them, unless the arguments name a precision. */
async function settingsHere(asked: EegSettings, { more }: TrainArguments): Promise<EegSettings> {
  if ('precision' in more || asked.precision === 'float32') return asked;
  // Where there is no device, the trainer does not get one either, and says why.
  const device = await requestNodeDevice().catch(() => undefined);
  if (!device) return asked;
  const { settings, message } = fitted(asked, device.capabilities);
  if (message) complain(message);
  return settings;
}

async function openOut({ values: { out, resume }, more }: TrainArguments): Promise<OutputFolder | undefined> {
  if (out !== undefined) return OutputFolder.open(out);
  if (resume) throw new ArgumentError('--resume needs --out: the folder with the state of the run');
  if ('every' in more) throw new ArgumentError('--every needs --out: a folder to save the state in');
  return undefined;
}

/** The state to resume from; undefined where a new run starts. */
async function stateIn(
  checkpoints: Kept['checkpoints'],
  { values: { out, resume } }: TrainArguments,
): Promise<TrainingState | undefined> {
  const state = await checkpoints.latest();
  const damaged = checkpoints instanceof FileCheckpoints ? checkpoints.damaged : null;
  if (!resume) {
    if (!state && !damaged) return undefined;
    throw new ArgumentError(
      `--out ${String(out)} has the state of a run${state ? `, of step ${state.progress.step}` : ''}: resume it with --resume, or give another folder`,
    );
  }
  if (!state && damaged) throw new SettingsError(damaged);
  if (!state)
    throw new ArgumentError(`--resume: ${String(out)} has no last.state.safetensors to resume from`);
  if (damaged) complain(`${damaged} The run resumes from the state of step ${state.progress.step}.`);
  return state;
}

const synthetic = (): DataFile[] =>
  [...syntheticCorpus(DEMO_CORPUS)].map(({ path, bytes }) => ({ path, data: memorySource(bytes) }));

async function train(
  settings: EegSettings,
  files: readonly DataFile[],
  { 'seizure-text': texts, limit, json }: TrainArguments['values'],
  { out, log, checkpoints }: Kept,
  from: TrainingState | undefined,
  signals: Signals,
): Promise<number> {
  const pairs = pairFiles(files);
  const folder = await openRecordings(pairs, limit ?? limitOfTrainer(), signals.check, texts);
  for (const { reason } of folder.rejected) complain(`skipped: ${reason}`);
  reportRemarks(folder.recordings, json);
  if (folder.recordings.every(({ unusable }) => unusable !== null)) {
    complain(
      folder.recordings.length + folder.rejected.length === 0
        ? 'No recordings (.edf, .bdf) are in the folder; give the folder that holds them with --data.'
        : 'None of the recordings in the folder can be used, for the reasons above; give another folder with --data.',
    );
    return 1;
  }
  const names = resultNames(folder.recordings);
  // A folder with the state of the run has its files as well.
  if (!from) await out?.checkFree(names);
  if (!json) complain(capital(splitSentence(folder.recordings, settings.split)));
  const report = json ? jsonReport : progressReport();
  const results = new RunResults(settings, folder.recordings);
  let last: EegEvent | undefined;
  const trainer = new EegTrainer({
    checkpoints,
    device: requestNodeDevice,
    dataset: new Dataset(folder, KEEP_BYTES, undefined, settings.interpolation),
    settings,
    tuning: fileChoices(),
    ...(from && { from }),
    revalidate: true,
    advice: COMMAND_ADVICE,
    emit: (event) => {
      report(event);
      results.observe(event);
      log?.observe(event);
      if (event.type === 'planned') out?.checkRoom(results.bytes, names);
      last = event;
    },
    keep: (parameters) => results.keep(parameters),
  });
  await signals.run(trainer);
  if (out && checkpoints instanceof FileCheckpoints) {
    await checkpoints.flush();
    await results.write(out, checkpoints);
    await log?.export(results.settings);
    await out.verify();
    if (last?.type === 'finished' && last.reason === 'stopped' && (await checkpoints.latest()))
      complain(`The state of the run is in ${out.name}: --resume continues from it.`);
  }
  return exitCodeOf(last);
}

/** By the last event of a run. */
export const exitCodeOf = (last: EegEvent | undefined): 0 | 1 =>
  last?.type === 'finished' && (last.reason === 'completed' || last.reason === 'early-stopping') ? 0 : 1;

/** The number of recordings that the environment limits a run to, as the trainer reads it. */
function limitOfTrainer(): number {
  const given = process.env['BGB_LIMIT_FILES'] ?? '';
  return given === '' ? Infinity : numberOf(given, 'BGB_LIMIT_FILES', { whole: true, min: 1 });
}
