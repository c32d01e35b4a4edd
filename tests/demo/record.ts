/** Makes the recorded run of the opening page from seeds alone. */
import type { Recorded, RecordedGate, RecordedScores } from '../../src/app/pages/demo/recorded';
import { displayFilter, LEAD_IN } from '../../src/app/pages/detector/montage';
import { GIB } from '../../src/base/units';
import { INCIDENTS } from '../../src/config/incidents';
import { presetOf } from '../../src/config/presets';
import { scalarText } from '../../src/config/scalar';
import { readConfig } from '../../src/config/settings';
import { TARGETS } from '../../src/config/targets';
import { memorySource } from '../../src/eeg/files/bytes';
import { PageReader } from '../../src/eeg/files/page';
import { pairFiles } from '../../src/eeg/files/recording';
import { eventCounts } from '../../src/eeg/scores/event_counts';
import { SAMPLE_RATE } from '../../src/eeg/signal/preprocess';
import { DEMO_CORPUS, syntheticCorpus } from '../../src/eeg/synthetic/corpus';
import { Dataset, openRecordings, type OpenedFolder } from '../../src/eeg/windows/dataset';
import { adapterName } from '../../src/engine/adapter';
import type { Device } from '../../src/engine/device';
import { inspectRun } from '../../src/estimate/forecast';
import { replayedRun, replayIncident } from '../../src/estimate/incident';
import { RamEnsemble } from '../../src/estimate/oom_odds';
import { tokenWords } from '../../src/lessons/loop/catalogue';
import type { Preview } from '../../src/lessons/loop/protocol';
import { Trainer } from '../../src/lessons/loop/trainer';
import { DEMO } from '../../src/training/demo';
import type { EegEvent } from '../../src/training/protocol';
import { encodeShare } from '../../src/training/share';
import { EegTrainer } from '../../src/training/trainer';

/** Hz of the traces: enough for what the picture shows. */
const EEG_RATE = 64;
/** Seeds that the kill is looked for in, and moments of its picture. */
const RAM_SEEDS = 40;
const RAM_MOMENTS = 160;

export const openCorpus = (): Promise<OpenedFolder> =>
  openRecordings(
    pairFiles(
      [...syntheticCorpus({ ...DEMO_CORPUS, seed: DEMO.seed })].map(({ path, bytes }) => ({
        path,
        data: memorySource(bytes),
      })),
    ),
  );

/** What a run of the preset tells; `steps`: it is stopped after so many. Throws where it fails. */
export async function trainDemo(
  device: () => Promise<Device>,
  folder: OpenedFolder,
  steps = Infinity,
): Promise<EegEvent[]> {
  const events: EegEvent[] = [];
  let done = 0;
  const trainer: EegTrainer = new EegTrainer({
    device,
    dataset: new Dataset(folder),
    settings: DEMO.settings,
    watched: () => DEMO.watched,
    emit: (event) => {
      events.push(event);
      if (event.type === 'progress') done += event.metrics.loss.length;
      if (event.type === 'failed') throw new Error(event.failure.message);
      if (event.type === 'glimpsed' && event.step >= steps) trainer.stop();
    },
  });
  await trainer.run();
  return events;
}

type Run = Pick<
  Recorded,
  'device' | 'link' | 'steps' | 'parameters' | 'threshold' | 'losses' | 'film' | 'validations'
>;

export function runOf(events: readonly EegEvent[]): Run {
  const of = <T extends EegEvent['type']>(type: T) =>
    events.filter((event): event is Extract<EegEvent, { type: T }> => event.type === type);
  const [planned] = of('planned');
  if (!planned) throw new Error('the run was not planned');
  const seen = of('glimpsed');
  const losses = of('progress').flatMap(({ metrics }) => [...metrics.loss].map(rounded));
  return {
    device: adapterName(planned.device),
    link: encodeShare(DEMO.settings),
    steps: planned.plan.steps,
    parameters: planned.plan.parameters,
    threshold: DEMO.settings.postprocessing.tau_on,
    losses,
    film: {
      rate: seen[0]?.rate ?? 0,
      rows: seen.map(({ step, probabilities }) => ({
        step,
        values: packed(Uint8Array.from(probabilities, (value) => Math.round(255 * value))),
      })),
    },
    validations: of('validated').map(scoresOf),
  };
}

const scoresOf = ({ step, scores, results }: Extract<EegEvent, { type: 'validated' }>): RecordedScores => ({
  step,
  auroc: rounded(scores.auroc ?? NaN),
  minutes: Math.round(60 * scores.hours),
  ...eventCounts(results),
});

/** The part's traces, filtered for the eye, and its labels. */
export async function eegOf(folder: OpenedFolder): Promise<Pick<Recorded, 'seconds' | 'eeg' | 'reference'>> {
  const { recording, start, seconds } = DEMO.watched;
  const [files, info] = [folder.files[recording], folder.recordings[recording]];
  if (!files || !info) throw new Error('the recording of the part is not there');
  const { channels, rate } = await new PageReader().read(files, start - LEAD_IN, seconds + LEAD_IN);
  const every = rate / EEG_RATE;
  const traces = channels.map((values) =>
    displayFilter(values, rate, { high: 0.5, low: 20, notch: 60 })
      .subarray(LEAD_IN * rate)
      .filter((_, i) => i % every === 0),
  );
  const scale = traces.map((values) => rounded(Math.max(...values.map(Math.abs)) / 127));
  return {
    seconds,
    eeg: {
      rate: EEG_RATE,
      scale,
      values: traces.map((values, i) =>
        packed(
          Int8Array.from(values, (value) =>
            Math.max(-127, Math.min(127, Math.round(value / (scale[i] as number)))),
          ),
        ),
      ),
    },
    reference: info.seizures
      .map(({ from, to }) => ({ start: from / SAMPLE_RATE - start, end: to / SAMPLE_RATE - start }))
      .filter(({ start: from, end }) => end > 0 && from < seconds),
  };
}

/** What the other pages are about: a fix of a configuration that failed, and the memory of its run. */
export function doorsOf(): Pick<Recorded, 'fix' | 'ram'> {
  const [incident] = INCIDENTS;
  const { name, text, target } = presetOf(incident, incident.config);
  const { issues } = inspectRun(text, { name, target: TARGETS[target] });
  const first = issues.find(({ fix }) => fix !== undefined);
  const written = readConfig(text).settings;
  const replay = replayIncident(
    incident,
    new RamEnsemble(replayedRun(incident)).advance(RAM_SEEDS),
    RAM_MOMENTS,
  );
  if (!first || !replay?.crash.kill) throw new Error('the incident has no fix or no kill');
  const { frames, limitBytes, kill } = replay.crash;
  return {
    fix: {
      file: name,
      issues: issues.length,
      severity: first.severity,
      message: first.message,
      changes: (first.fix ?? []).map(({ path, value }) => ({
        path,
        before: scalarText(written.value(path) ?? null),
        after: value ?? '',
      })),
    },
    ram: {
      incident: incident.id,
      seconds: Math.round(kill.seconds),
      limit: rounded(limitBytes / GIB),
      batch: kill.batch,
      total: frames.map(({ total }) => rounded(total / GIB)),
    },
  };
}

/** Δ of the small model of the lesson, trained until it is solved. */
export async function gateOf(device: Device): Promise<RecordedGate> {
  const settings = { task: 'selective_copying', preset: 'tiny', dynamics: 'selective', seed: 1 } as const;
  let last: Preview | undefined;
  await new Trainer({
    device: () => Promise.resolve(device),
    settings,
    emit: (event) => {
      if (event.type === 'preview') last = event.preview;
      if (event.type === 'failed') throw new Error(event.failure.message);
    },
  }).run();
  const words = tokenWords(settings);
  return {
    step: last?.step ?? 0,
    tokens: [...(last?.tokens ?? [])].map((token) => {
      const { kind, text } = words[token] ?? { kind: 'noise', text: '' };
      return { kind, text };
    }),
    delta: [...(last?.delta[0] ?? [])].map(rounded),
  };
}

const packed = (values: Uint8Array | Int8Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

/** Four digits, so that the file does not hold what nobody sees. */
const rounded = (value: number): number => Number(value.toPrecision(4));
