/** `npx smokescan detect`: a detector with finished weights over recordings, on the GPU of this machine. */
import { messageOf, stemOf } from '../base/text';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { PickleError } from '../checkpoints/pickle_machine';
import { SafetensorsError } from '../checkpoints/safetensors';
import { StateError } from '../checkpoints/state';
import { TorchFileError } from '../checkpoints/torch';
import { ZipError } from '../checkpoints/zip';
import { readConfig } from '../config/settings';
import { Detection } from '../detection/detect';
import type { DetectionEvent, LeftOut, RecordingResult } from '../detection/protocol';
import { readWeightsFile, type DetectorWeights } from '../detection/weights';
import { outputNames, type OutputNames } from '../eeg/events/output_names';
import { checkPostprocessing, DEFAULT_POSTPROCESSING, type Postprocessing } from '../eeg/events/postprocess';
import { writeCsvBi } from '../eeg/files/csv_bi';
import { detectedAnnotation, withAnnotations } from '../eeg/files/edf/annotate';
import { writeEventsTsv } from '../eeg/files/events_tsv';
import {
  openEdf,
  pairFiles,
  sourceOf,
  type RecordingFiles,
  type RecordingInfo,
} from '../eeg/files/recording';
import { INTERPOLATIONS } from '../eeg/signal/channels';
import { SAMPLE_RATE } from '../eeg/signal/preprocess';
import { openRecordings, type OpenedFolder } from '../eeg/windows/dataset';
import { MIXERS } from '../models/bimamba';
import { SettingsError } from '../run/failure';
import { fromTrainer } from '../training/config';
import { COMMAND_ADVICE } from './command_advice';
import {
  ArgumentError,
  choice,
  flag,
  number,
  required,
  runCommand,
  text,
  type Arguments,
} from './command_line';
import { readConfigText } from './config_text';
import { detectReport } from './detect_report';
import { isFileError, reasonOf, rejectNamedPipe } from './file_error';
import { fileChoices } from './kernel_choices';
import { requestNodeDevice } from './node_device';
import { OutputFolder } from './output_files';
import { complain } from './print';
import { openFolder, SEIZURE_TEXT, type RecordingFolder } from './recording_folder';
import { scratchCache } from './scratch_cache';
import { stoppable, type Signals } from './signals';
import { reportRemarks } from './train_report';
import { validationErrorsOf } from './validate';

/** Seconds. */
const DEFAULT_STRIDE = 10;

const COMMAND = {
  name: 'detect',
  takes: [],
  about:
    'Finds seizures in the recordings below a folder with a detector that was trained before, on the GPU of this machine.',
  options: {
    weights: required(
      'FILE',
      'best.pt or last.pt of the trainer, a state dict of PyTorch, weights or a training state as safetensors, or the folder of a run; any width',
    ),
    data: required(
      'DIR',
      'recordings (.edf, .bdf), at any depth; annotations beside them are scored against',
    ),
    out: text(
      'DIR',
      'writes NAME.predicted.csv_bi and NAME_events.tsv (BIDS, SzCORE) for each recording, in its folder, and scores.json; without it nothing is kept',
    ),
    edf: flag('also writes each recording with the detected events as annotations, EDF+ or BDF+'),
    overwrite: flag('overwrites files of these names in --out, which are left alone and reported otherwise'),
    config: text(
      'CONFIG',
      'takes the post-processing of a configuration of the trainer (YAML) instead of the default one',
    ),
    stride: number(
      'S',
      `seconds between the starts of two windows, 1 to 60; default ${DEFAULT_STRIDE}, as the trainer`,
      {
        whole: true,
        min: 1,
        max: 60,
      },
    ),
    mixer: choice(
      MIXERS,
      'which mixer is meant where the weights have both; default the one that was trained',
    ),
    interpolation: choice(
      INTERPOLATIONS,
      'a missing Fz or Pz is interpolated (default), or is what the trainer makes of it, which may be zeros',
    ),
    'seizure-text': SEIZURE_TEXT,
    limit: number('N', 'only the first N recordings', { whole: true, min: 1 }),
    json: flag('writes events as one JSON object a line instead of a progress bar'),
  },
  notes: `Ctrl-C stops after the batch that is under way; files of the recordings that are done stay.

Exit code 0; 1 where a recording could not be used, nothing could be detected or it was stopped; 2 for wrong arguments.`,
};

type Options = Arguments<typeof COMMAND.options>['values'];

/** Command `detect`. */
export const main = (args: readonly string[]): Promise<number> =>
  runCommand(COMMAND, args, ({ values }) => stoppable((signals) => detectBelow(values, signals)));

async function detectBelow(options: Options, signals: Signals): Promise<number> {
  if (options.edf && options.out === undefined)
    throw new ArgumentError('--edf needs --out: a folder to write to');
  let folder: RecordingFolder | undefined;
  let out: OutputFolder | undefined;
  const scratch = scratchCache();
  try {
    const weights = await readWeights(options.weights);
    const postprocessing = await postprocessingOf(options.config);
    out = await openOut(options.out, options.data);
    folder = await openFolder(options.data, signals.check);
    for (const remark of folder.remarks) complain(remark);
    const { limit, 'seizure-text': texts } = options;
    const opened = await openRecordings(pairFiles(folder.files), limit ?? Infinity, signals.check, texts);
    for (const { reason } of opened.rejected) complain(`skipped: ${reason}`);
    // For a person those that are left out are named with the plan.
    const { json } = options;
    reportRemarks(
      opened.recordings.filter(({ unusable }) => json || unusable === null),
      json,
    );
    if (opened.recordings.length === 0) {
      complain(
        `There is no recording (.edf, .bdf) below ${options.data} that can be used; give another folder with --data.`,
      );
      return 1;
    }
    const names = outputNames(opened.recordings.map(({ path }) => path));
    if (!options.overwrite)
      await out?.checkFree([SCORES, ...names.flatMap((name) => written(name, options))]);
    const ok = await detect(opened, names, weights, postprocessing, options, out, scratch.cache, signals);
    await out?.verify();
    return ok && opened.rejected.length + folder.remarks.length === 0 ? 0 : 1;
  } finally {
    await scratch.close();
    await folder?.close();
    await out?.close();
  }
}

/** What reading weights throws for a file that holds none. */
const WEIGHTS_ERRORS = [SettingsError, SafetensorsError, StateError, TorchFileError, ZipError, PickleError];

/** Files of a run's folder, the one that is taken first. */
const OF_A_RUN = [
  'best.state.safetensors',
  'last.state.safetensors',
  'weights.safetensors',
  'best.pt',
  'last.pt',
];

async function readWeights(path: string): Promise<DetectorWeights> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new SettingsError(`there is no such file as ${path}; --weights takes a file with weights`);
  let file = path;
  if (info.isDirectory()) {
    const found = [];
    for (const name of OF_A_RUN) if (await stat(join(path, name)).catch(() => undefined)) found.push(name);
    if (found[0] === undefined)
      throw new SettingsError(`${path} has none of ${OF_A_RUN.join(', ')}: it is not the folder of a run`);
    file = join(path, found[0]);
  }
  await rejectNamedPipe(file);
  const bytes = await readFile(file);
  try {
    return readWeightsFile(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    if (!WEIGHTS_ERRORS.some((kind) => error instanceof kind)) throw error;
    throw new SettingsError(`${file}: ${messageOf(error)}`);
  }
}

async function postprocessingOf(config: string | undefined): Promise<Postprocessing> {
  if (config === undefined) return DEFAULT_POSTPROCESSING;
  const text = await readConfigText(config);
  const rejected = validationErrorsOf(config, text);
  if (rejected.length > 0) throw new SettingsError(rejected.join('\n'));
  const { postprocessing } = fromTrainer(readConfig(text).settings).settings;
  checkPostprocessing(postprocessing);
  return postprocessing;
}

const SCORES = 'scores.json';

/** The files of a recording. */
const written = ({ csvBi, eventsTsv, edf }: OutputNames, options: Options): string[] =>
  options.edf ? [csvBi, eventsTsv, edf] : [csvBi, eventsTsv];

/** Labels lie beside recordings, so what is detected must not be written there. */
async function openOut(out: string | undefined, data: string): Promise<OutputFolder | undefined> {
  if (out === undefined) return undefined;
  const [to, from] = [resolve(out), resolve(data)];
  if (to === from || to.startsWith(from + sep))
    throw new ArgumentError(
      `--out is ${to === from ? 'the folder of the recordings' : 'within the folder of the recordings'}, where files could be taken for labels or overwrite them; give another`,
    );
  return OutputFolder.open(out);
}

/** Whether everything was detected in. */
async function detect(
  { files, recordings }: OpenedFolder,
  names: readonly OutputNames[],
  weights: DetectorWeights,
  postprocessing: Postprocessing,
  { edf, json, stride = DEFAULT_STRIDE, mixer, interpolation = 'spline' }: Options,
  out: OutputFolder | undefined,
  cache: ReturnType<typeof scratchCache>['cache'],
  signals: Signals,
): Promise<boolean> {
  const report = detectReport(recordings, json);
  const leftOut: LeftOut[] = [];
  let unwritten = 0;
  let last: DetectionEvent | undefined;
  const detection = new Detection({
    device: requestNodeDevice,
    weights,
    mixer,
    interpolation,
    folder: { files, recordings },
    postprocessing,
    stride: stride * SAMPLE_RATE,
    cache,
    tuning: fileChoices(),
    advice: COMMAND_ADVICE,
    emit: async (event) => {
      if (event.type === 'planned') for (const one of event.leftOut) leftOut.push(one);
      if (event.type === 'unreadable') leftOut.push(event.leftOut);
      if (event.type === 'detected' && out) {
        const { recording } = event.result;
        const [file, info, name] = [files[recording], recordings[recording], names[recording]];
        if (file && info && name)
          await writeEvents(out, name, file, info, event.result, edf).catch((error: unknown) => {
            // That of one name; any other, as of a full disk, would meet the next recording as well.
            if (!isFileError(error) || error.code !== 'ENAMETOOLONG') throw error;
            unwritten++;
            complain(`${info.path}: its events are not written: ${reasonOf(error)}`);
          });
      }
      report(event);
      last = event;
    },
  });
  await signals.run(detection);
  if (last?.type !== 'finished') return false;
  if (out && last.scores) await out.write(SCORES, [`${JSON.stringify(last.scores, null, 2)}\n`]);
  return last.reason === 'completed' && leftOut.length + unwritten === 0;
}

async function writeEvents(
  out: OutputFolder,
  { csvBi, eventsTsv, edf }: OutputNames,
  files: RecordingFiles,
  { path, duration, started }: RecordingInfo,
  { predicted }: RecordingResult,
  annotated: boolean,
): Promise<void> {
  const name = stemOf(path);
  await out.write(csvBi, [writeCsvBi(name, duration, predicted)]);
  await out.write(eventsTsv, [writeEventsTsv(predicted, duration, started)]);
  if (!annotated) return;
  const annotations = predicted.map(detectedAnnotation);
  const file = await openEdf(files);
  await out.write(edf, withAnnotations(file, sourceOf(files.recording), annotations));
}
