/** `npx smokescan train`: what the page does, in a terminal, on the engine in Node. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { write } from '../checkpoints/safetensors';
import type { TrainingState } from '../checkpoints/state';
import { writeCsvBi } from '../eeg/events/csv_bi';
import { handleSource, memorySource } from '../eeg/files/bytes';
import { Dataset, openRecordings } from '../eeg/windows/dataset';
import { pairFiles, type DataFile } from '../eeg/files/recording';
import { DEMO_CORPUS, syntheticCorpus } from '../eeg/synthetic/corpus';
import { Device } from '../engine/device';
import { readConfig } from '../config/pyyaml';
import { settingAt } from '../config/schema';
import { MemoryCheckpoints, type Checkpoints } from '../training/checkpoints';
import { fitted, fromProduction } from '../training/config';
import { productionCheckpoint } from '../training/export';
import type { EegEvent } from '../training/protocol';
import {
  detectorConfigOf,
  metricsOf,
  SMOKE_RUN,
  storedSettings,
  type EegSettings,
} from '../training/settings';
import { differences } from '../training/share';
import { EegTrainer } from '../training/trainer';
import { SettingsError } from '../run/failure';
import { FileCheckpoints } from './file_checkpoints';
import { requestNodeGpu } from './node_gpu';
import { jsonReport, progressReport } from './train_report';
import { refusalsOf } from './validate';

const USAGE = `Usage: smokescan train [CONFIG] [--data DIR] [--limit N] [--width N] [--mixer mamba2|conv] [--precision float32|float16] [--epochs N] [--steps N] [--out DIR [--resume] [--every N]] [--json]

Trains production's detector on the GPU of this machine, as the page does.
  CONFIG        a production configuration (YAML); without it a smoke run
  --data DIR    recordings (.edf, .bdf) and annotations, at any depth; else data.data_dir; else synthetic EEG
  --limit N     only the first N recordings; else as many as BGB_LIMIT_FILES in the environment says, as production
  --width N     channels of the first stage; 64 is production's, auto takes what this device bears (auto)
  --mixer M     mamba2, or conv for production's fallback (mamba2)
  --precision P float16 stores activations so, where the device has shader-f16; else as training.mixed_precision says,
                and float32 where the device cannot (float32 for a smoke run)
  --epochs N    instead of the configuration's
  --steps N     updates at most
  --batch N     windows of an update instead of the configuration's
  --rate R      learning rate instead of the configuration's
  --layers N    bidirectional layers instead of the configuration's
  --stride S    seconds between two validated windows
  --out DIR     weights (safetensors), checkpoints for production's --resume (last.pt, best.pt), scores (JSON) and
                predicted events (csv_bi); while it trains, the whole state (last, previous and best.state.safetensors)
  --every N     updates between two states, beside those after each epoch and at the end; else one every five minutes
  --resume      goes on with the run of which DIR has the state, with its settings, as if it had never stopped: the
                recordings must be the same, and other arguments may not contradict
  --json        events as one JSON object a line, instead of a progress bar

Exit code 0 when it came to its end, 1 on NaN, collapse or bad data, 2 for wrong arguments.`;

/** Options that say what is trained; a run that goes on has its own. */
const SETTING_OPTIONS = [
  'width',
  'mixer',
  'precision',
  'epochs',
  'steps',
  'batch',
  'rate',
  'layers',
  'stride',
] as const;

type Values = Partial<Record<string, string | boolean>>;

/** Command `train`. */
export async function main(args: string[]): Promise<number> {
  let parsed;
  try {
    const string = { type: 'string' } as const;
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...Object.fromEntries(
          ['data', 'limit', ...SETTING_OPTIONS, 'out', 'every'].map((name) => [name, string]),
        ),
        json: { type: 'boolean', default: false },
        resume: { type: 'boolean', default: false },
      },
    });
    if (parsed.positionals.length > 1) throw new Error('there is more than one configuration');
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const values: Values = parsed.values;
  const handles: FileHandle[] = [];
  try {
    const given = await readSettings(parsed.positionals[0], values);
    const checkpoints = checkpointsOf(values);
    const from = await stateIn(checkpoints, values);
    const settings = from ? resumedSettings(from, given, values) : await settingsHere(given.settings, values);
    const { dataDir } = given;
    const files = dataDir === undefined ? synthetic() : await filesBelow(dataDir, handles);
    return await train(settings, files, values, checkpoints, from);
  } catch (error) {
    if (!(error instanceof SettingsError || isMissing(error))) throw error;
    console.error(error instanceof Error ? error.message : String(error));
    return error instanceof SettingsError && error.message.startsWith('--') ? 2 : 1;
  } finally {
    for (const handle of handles) await handle.close();
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(String(error.code));

/** What the arguments say. */
interface Given {
  readonly settings: EegSettings;
  readonly dataDir: string | undefined;
  /** Whether they say anything about the settings. */
  readonly any: boolean;
}

async function readSettings(path: string | undefined, values: Values): Promise<Given> {
  let [settings, dataDir]: [EegSettings, string | undefined] = [SMOKE_RUN, undefined];
  if (path !== undefined) {
    const text = await readFile(path, 'utf8');
    const refused = refusalsOf(path, text);
    if (refused.length > 0) throw new SettingsError(refused.join('\n'));
    const { value } = readConfig(text);
    ({ settings, dataDir } = fromProduction((name) => settingAt(value, name)));
    const { metric } = settings.earlyStopping;
    if (!metricsOf(settings).includes(metric))
      console.error(
        `training.early_stopping.metric is ${metric}, which is none of ${metricsOf(settings).join(', ')}: as in production it reads 0 after each epoch, and the first epoch counts as the best`,
      );
  }
  const number = (name: string, fallback: number): number => {
    const value = values[name];
    if (value === undefined) return fallback;
    if (!Number.isFinite(Number(value)))
      throw new SettingsError(`--${name} is ${String(value)}, not a number`);
    return Number(value);
  };
  const { mixer = 'mamba2', width = 'auto' } = values;
  if (mixer !== 'mamba2' && mixer !== 'conv')
    throw new SettingsError(`--mixer is ${String(mixer)}; it is mamba2 or conv`);
  const { precision = settings.precision } = values;
  if (precision !== 'float32' && precision !== 'float16')
    throw new SettingsError(`--precision is ${String(precision)}; it is float32 or float16`);
  const steps = number('steps', Infinity);
  return {
    any: path !== undefined || SETTING_OPTIONS.some((name) => values[name] !== undefined),
    dataDir: typeof values['data'] === 'string' ? values['data'] : dataDir,
    settings: {
      ...settings,
      model: {
        ...settings.model,
        baseChannels: width === 'auto' ? width : number('width', 0),
        mixer,
        layers: number('layers', settings.model.layers),
      },
      precision,
      epochs: number('epochs', settings.epochs),
      batch: number('batch', settings.batch),
      learningRate: number('rate', settings.learningRate),
      validationStride: number('stride', settings.validationStride),
      mostSteps: steps === Infinity ? null : steps,
      checkpoints:
        values['every'] === undefined
          ? settings.checkpoints
          : { everySteps: number('every', 0), everyMinutes: null },
      // Node's engine reads windows itself.
      workers: 0,
      persistentWorkers: false,
    },
  };
}

/** Those of a configuration as the device here can train them, unless the arguments say how. */
async function settingsHere(asked: EegSettings, { precision }: Values): Promise<EegSettings> {
  if (precision !== undefined || asked.precision === 'float32') return asked;
  // Where there is no device, the trainer is refused it too, and says why.
  const device = await requestNodeGpu().then(
    (gpu) => Device.request(gpu),
    () => undefined,
  );
  if (!device) return asked;
  const { settings, told } = fitted(asked, device.capabilities);
  device.destroy();
  if (told) console.error(told);
  return settings;
}

type Kept = Checkpoints & { best(): Promise<TrainingState | undefined> };

function checkpointsOf({ out, resume, every }: Values): Kept {
  if (typeof out === 'string') return new FileCheckpoints(out);
  if (resume === true)
    throw new SettingsError('--resume needs --out: the folder that has the state of the run');
  if (every !== undefined) throw new SettingsError('--every needs --out: a folder to keep the state in');
  return new MemoryCheckpoints();
}

/** The state to go on from; undefined where a run begins. */
async function stateIn(checkpoints: Kept, { out, resume }: Values): Promise<TrainingState | undefined> {
  const state = await checkpoints.latest();
  if (resume !== true) {
    if (!state && !checkpoints.damaged) return undefined;
    throw new SettingsError(
      `--out ${String(out)} has the state of a run${state ? `, of update ${state.progress.step}` : ''}: go on with it by --resume, or give another folder`,
    );
  }
  if (!state)
    throw new SettingsError(
      checkpoints.damaged ?? `--resume: ${String(out)} has no last.state.safetensors to go on from`,
    );
  if (checkpoints.damaged)
    console.error(`${checkpoints.damaged} The state of update ${state.progress.step} is.`);
  return state;
}

/** Those of the run. Throws SettingsError where the arguments say something else. */
function resumedSettings(
  { progress }: TrainingState,
  given: Given,
  { width, precision, every }: Values,
): EegSettings {
  const stored = storedSettings(progress.config);
  const other = given.any
    ? differences(stored, given.settings).find(
        ({ name }) =>
          !name.startsWith('checkpoints.') &&
          !FREE.includes(name) &&
          !(name === 'precision' && precision === undefined) &&
          !(name === 'model.baseChannels' && (width ?? 'auto') === 'auto'),
      )
    : undefined;
  if (other)
    throw new SettingsError(
      `--resume goes on with the settings of the run: its ${other.name} is ${String(other.from)}, the arguments say ${String(other.to)}. Give all of its arguments again or none, or begin another run with another --out`,
    );
  return {
    ...stored,
    workers: 0,
    persistentWorkers: false,
    ...(every !== undefined && { checkpoints: given.settings.checkpoints }),
  };
}

/** Settings without influence on what is learned. */
const FREE = ['workers', 'prefetch', 'persistentWorkers', 'cache', 'memoryLimit'];

const synthetic = (): DataFile[] =>
  [...syntheticCorpus(DEMO_CORPUS)].map(({ path, bytes }) => ({ path, data: memorySource(bytes) }));

async function filesBelow(folder: string, handles: FileHandle[]): Promise<DataFile[]> {
  const root = resolve(folder);
  const files: DataFile[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(edf|bdf|csv|csv_bi|tse|tse_bi)$/i.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const handle = await open(path);
    handles.push(handle);
    const { size } = await stat(path);
    files.push({ path: relative(root, path).split(sep).join('/'), data: handleSource(handle, size) });
  }
  return files;
}

async function train(
  settings: EegSettings,
  files: readonly DataFile[],
  values: Values,
  checkpoints: Kept,
  from: TrainingState | undefined,
): Promise<number> {
  const json = values['json'] === true;
  const limit = limitOf(values);
  const folder = await openRecordings(pairFiles(files), limit);
  for (const { reason } of folder.refused) console.error(`refused: ${reason}`);
  if (folder.recordings.length === 0) {
    console.error('There are no recordings that can be used; give a folder with --data.');
    return 1;
  }
  const report = json ? jsonReport : progressReport();
  let last: EegEvent | undefined;
  let validated: Extract<EegEvent, { type: 'validated' }> | undefined;
  let baseChannels = 0;
  const out = typeof values['out'] === 'string' ? values['out'] : undefined;
  let chosen = settings;
  const trainer = new EegTrainer({
    checkpoints,
    device: async () => Device.request(await requestNodeGpu()),
    dataset: new Dataset(folder),
    settings,
    ...(from && { from }),
    emit: (event) => {
      report(event);
      if (event.type === 'planned') {
        ({ baseChannels } = event.plan);
        chosen = event.settings;
      }
      if (event.type === 'validated') validated = event;
      last = event;
    },
    keep: async (parameters) => {
      if (out === undefined) return;
      await mkdir(out, { recursive: true });
      const tensors = new Map(
        (['value', 'buffer'] as const).flatMap((pack) => {
          const { slices } = pack === 'value' ? parameters.layout : parameters.bufferLayout;
          return [...slices].map(([name, { shape }]) => [name, { pack, shape }] as const);
        }),
      );
      const read = new Map([...(await parameters.read('value')), ...(await parameters.read('buffer'))]);
      const config = detectorConfigOf(settings.model, baseChannels);
      const file = write(
        new Map(
          [...tensors].map(([name, { shape }]) => [
            name,
            { dtype: 'F32' as const, shape, data: read.get(name) as Float32Array<ArrayBuffer> },
          ]),
        ),
        { format: 'smokescan', config: JSON.stringify(config) },
      );
      await new Promise<void>((resolve, reject) => {
        createWriteStream(join(out, 'weights.safetensors')).on('error', reject).end(file, resolve);
      });
    },
  });
  const stop = (): void => trainer.stop();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  await trainer.run();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  if (out !== undefined)
    for (const [name, state] of [
      ['last.pt', await checkpoints.latest()],
      ['best.pt', await checkpoints.best()],
    ] as const)
      if (state) await writeFile(join(out, name), Buffer.concat(productionCheckpoint(state, chosen)));
  if (out !== undefined && validated) {
    const { results, ...scores } = validated;
    await writeFile(join(out, 'scores.json'), `${JSON.stringify(scores, null, 2)}\n`);
    for (const { recording, predicted } of results) {
      const info = folder.recordings[recording];
      if (!info) continue;
      const name = basename(info.path).replace(/\.[^.]*$/, '');
      await writeFile(join(out, `${name}.predicted.csv_bi`), writeCsvBi(predicted, name, info.duration));
    }
  }
  return exitCodeOf(last);
}

/** By the last thing that a run has told. */
export const exitCodeOf = (last: EegEvent | undefined): 0 | 1 =>
  last?.type === 'finished' && last.reason !== 'collapse' ? 0 : 1;

function limitOf({ limit }: Values): number {
  const given = limit ?? process.env['BGB_LIMIT_FILES'] ?? '';
  if (given === '') return Infinity;
  if (!(Number(given) >= 1))
    throw new SettingsError(
      `${limit === undefined ? 'BGB_LIMIT_FILES' : '--limit'} is ${String(given)}, not a number from 1`,
    );
  return Number(given);
}
