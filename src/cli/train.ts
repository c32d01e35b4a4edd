/** `npx smokescan train`: what the page does, in a terminal, on the engine in Node. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { write } from '../checkpoints/safetensors';
import { writeCsvBi } from '../clinical/csv_bi';
import { handleSource, memorySource } from '../data/bytes';
import { Dataset, openRecordings } from '../data/dataset';
import { pairFiles, type DataFile } from '../data/recording';
import { DEMO_CORPUS, syntheticCorpus } from '../data/synthetic/corpus';
import { Device } from '../engine/device';
import { readConfig } from '../production/pyyaml';
import { settingAt } from '../production/schema';
import { MemoryCheckpoints } from '../training/eeg/checkpoints';
import { fromProduction } from '../training/eeg/config';
import { productionCheckpoint } from '../training/eeg/export';
import type { EegEvent } from '../training/eeg/protocol';
import { detectorConfigOf, metricsOf, SMOKE_RUN, type EegSettings } from '../training/eeg/settings';
import { EegTrainer } from '../training/eeg/trainer';
import { SettingsError } from '../training/failure';
import { requestNodeGpu } from './node-gpu';
import { refusalsOf } from './validate';

const USAGE = `Usage: smokescan train [CONFIG] [--data DIR] [--limit N] [--width N] [--mixer mamba2|conv] [--epochs N] [--steps N] [--out DIR] [--json]

Trains production's detector on the GPU of this machine, as the page does.
  CONFIG        a production configuration (YAML); without it a smoke run
  --data DIR    recordings (.edf, .bdf) and annotations, at any depth; else data.data_dir; else synthetic EEG
  --limit N     only the first N recordings; else as many as BGB_LIMIT_FILES in the environment says, as production
  --width N     channels of the first stage; 64 is production's, auto takes what this device bears (auto)
  --mixer M     mamba2, or conv for production's fallback (mamba2)
  --epochs N    instead of the configuration's
  --steps N     updates at most
  --batch N     windows of an update instead of the configuration's
  --rate R      learning rate instead of the configuration's
  --layers N    bidirectional layers instead of the configuration's
  --stride S    seconds between two validated windows
  --out DIR     weights (safetensors), checkpoints for production's --resume (last.pt, best.pt), scores (JSON) and
                predicted events (csv_bi)
  --json        events as one JSON object a line, instead of a progress bar

Exit code 0 when it came to its end, 1 on NaN, collapse or bad data, 2 for wrong arguments.`;

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
          [
            'data',
            'limit',
            'width',
            'mixer',
            'epochs',
            'steps',
            'batch',
            'rate',
            'layers',
            'stride',
            'out',
          ].map((name) => [name, string]),
        ),
        json: { type: 'boolean', default: false },
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
    const { settings, dataDir } = await readSettings(parsed.positionals[0], values);
    const files = dataDir === undefined ? synthetic() : await filesBelow(dataDir, handles);
    return await train(settings, files, values);
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

async function readSettings(
  path: string | undefined,
  values: Values,
): Promise<{ settings: EegSettings; dataDir: string | undefined }> {
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
  const steps = number('steps', Infinity);
  return {
    dataDir: typeof values['data'] === 'string' ? values['data'] : dataDir,
    settings: {
      ...settings,
      model: {
        ...settings.model,
        baseChannels: width === 'auto' ? width : number('width', 0),
        mixer,
        layers: number('layers', settings.model.layers),
      },
      epochs: number('epochs', settings.epochs),
      batch: number('batch', settings.batch),
      learningRate: number('rate', settings.learningRate),
      validationStride: number('stride', settings.validationStride),
      mostSteps: steps === Infinity ? null : steps,
      // Node's engine reads windows itself.
      workers: 0,
      persistentWorkers: false,
    },
  };
}

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

async function train(settings: EegSettings, files: readonly DataFile[], values: Values): Promise<number> {
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
  const checkpoints = new MemoryCheckpoints();
  let chosen = settings;
  const trainer = new EegTrainer({
    checkpoints,
    device: async () => Device.request(await requestNodeGpu()),
    dataset: new Dataset(folder),
    settings,
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
  process.once('SIGINT', () => trainer.stop());
  await trainer.run();
  if (out !== undefined)
    for (const [name, state] of [
      ['last.pt', await checkpoints.latest()],
      ['best.pt', checkpoints.best],
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

/** Numbers that JSON has no words for become null. */
function jsonReport(event: EegEvent): void {
  const plain = (_: string, value: unknown): unknown =>
    ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
  console.log(JSON.stringify(event.type === 'validated' ? { ...event, results: undefined } : event, plain));
}

function progressReport(): (event: EegEvent) => void {
  let steps = 0;
  const tty = process.stderr.isTTY;
  const line = (text: string): void => {
    if (tty) process.stderr.write(`\r\x1b[K${text}`);
  };
  const say = (text: string): void => {
    line('');
    console.log(text);
  };
  return (event) => {
    switch (event.type) {
      case 'planned': {
        const { plan } = event;
        ({ steps } = plan);
        const bytes = plan.memory.reduce((sum, { bytes }) => sum + bytes, 0);
        if (plan.reason) say(plan.reason);
        say(
          `${plan.parameters.toLocaleString('en')} parameters, ${plan.windows.training} windows, ${plan.recordings.validation.length} recordings held out, ${steps} updates, ${(bytes / 2 ** 20).toFixed(0)} MiB on the GPU; ${availableParallelism()} cores`,
        );
        return;
      }
      case 'preparing':
        line(`${event.label} ${event.done}/${event.total}`);
        return;
      case 'progress': {
        const step = event.metrics.step.at(-1) ?? 0;
        const filled = Math.round((30 * step) / steps);
        line(
          `epoch ${event.epoch} [${'#'.repeat(filled)}${'.'.repeat(30 - filled)}] ${step}/${steps} loss ${(event.metrics.loss.at(-1) ?? NaN).toFixed(4)}, ${event.secondsLeft.toFixed(0)} s left`,
        );
        return;
      }
      case 'validated': {
        const { auroc, taes, sensitivity, falseAlarmsPer24Hours } = event.scores;
        say(
          `epoch ${event.epoch}: AUROC ${auroc?.toFixed(4) ?? '–'}, TAES ${taes.toFixed(3)}, sensitivity ${sensitivity.toFixed(2)} at ${falseAlarmsPer24Hours.toFixed(1)} false alarms in 24 h${event.best ? ' (best)' : ''}`,
        );
        return;
      }
      case 'finished':
        say(`${event.reason} after ${event.steps} updates, ${event.seconds.toFixed(0)} s`);
        return;
      case 'failed':
        line('');
        console.error(`${event.failure.message} ${event.failure.advice}`);
        return;
      case 'recovering':
        say(`the GPU was lost; going on from update ${event.step} (${event.attempt} of ${event.most})`);
        return;
      case 'unsaved':
        say(event.message);
        return;
      case 'continuing':
      case 'saved':
      case 'paused':
      case 'resumed':
        return;
      default:
        event satisfies never;
    }
  };
}
