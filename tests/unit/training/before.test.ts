/** What earlier versions wrote opens with the same meaning; before/README.md says how it was made. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readState } from '../../../src/checkpoints/state_file';
import { memorySource } from '../../../src/eeg/files/bytes';
import { pairFiles } from '../../../src/eeg/files/recording';
import { syntheticCorpus } from '../../../src/eeg/synthetic/corpus';
import { Dataset, openRecordings } from '../../../src/eeg/windows/dataset';
import { MemoryCheckpoints } from '../../../src/training/checkpoints';
import type { EegEvent } from '../../../src/training/protocol';
import { asJson, readSummary } from '../../../src/training/run_record';
import { PRODUCTION_RUN, SMOKE_RUN, storedSettings, type EegSettings } from '../../../src/training/settings';
import { decodeShare } from '../../../src/training/share';
import { EegTrainer } from '../../../src/training/trainer';
import { testDevice } from '../engine/check-op';
import links from './before/links.json';
import run from './before/run.json';

const isGroup = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same settings under their names of now; what was no setting then is as in `base`. */
function renamed(
  { mostSteps, ...settings }: Record<string, unknown>,
  base: EegSettings = PRODUCTION_RUN,
): EegSettings {
  const groups = Object.entries(base).filter(([, value]) => isGroup(value));
  return {
    ...base,
    ...settings,
    ...Object.fromEntries(
      groups.map(([name, group]) => [name, { ...(group as object), ...(settings[name] as object) }]),
    ),
    maxSteps: mostSteps as EegSettings['maxSteps'],
  };
}

describe('what afff4d8 wrote', () => {
  test.each(Object.entries(links))('the link of the run %s', (_, { link, settings }) => {
    expect(decodeShare(link)).toEqual(renamed(settings, SMOKE_RUN));
  });

  test('a setting under two of its names is set twice', () => {
    expect(() => decodeShare('v=1&mostSteps=3&maxSteps=4')).toThrow('the link sets "maxSteps" twice');
  });

  test('settings that a checkpoint stores, and those of a version that knew fewer', () => {
    const expected = renamed(JSON.parse(run.config) as Record<string, unknown>);
    expect(storedSettings(run.config)).toEqual(expected);
    expect(expected.maxSteps).toBe(8);
    const { model, batch } = expected;
    expect(storedSettings(JSON.stringify({ model: { layers: model.layers }, batch }))).toEqual({
      ...PRODUCTION_RUN,
      model: { ...PRODUCTION_RUN.model, layers: model.layers },
      batch,
    });
  });

  test('the record of a run', () => {
    const summary = readSummary(run.summary)!;
    expect(asJson(summary)).toEqual({ ...run.summary, settings: renamed(run.summary.settings) });
  });
});

describe('a checkpoint of afff4d8', () => {
  const device = testDevice();

  test('is resumed with its settings, and the steps that follow are the same', async () => {
    const corpus = { seed: 7, patients: 3, recordingsPerPatient: 1, duration: 120, seizures: 1 };
    const files = [...syntheticCorpus(corpus)].map(({ path, bytes }) => ({
      path,
      data: memorySource(bytes),
    }));
    const from = readState(readFileSync(join(import.meta.dirname, 'before/last.state.safetensors')));
    const events: EegEvent[] = [];
    const checkpoints = new MemoryCheckpoints();
    await new EegTrainer({
      device: () => Promise.resolve(device()),
      dataset: new Dataset(await openRecordings(pairFiles(files))),
      settings: storedSettings(from.progress.config),
      from,
      checkpoints,
      emit: (event) => events.push(event),
    }).run();
    expect(events.at(-1)).toMatchObject({ type: 'finished', reason: 'completed', steps: 8 });
    const losses = events.flatMap((event) => (event.type === 'progress' ? [...event.metrics.loss] : []));
    expect(losses).toHaveLength(4);
    for (const [i, loss] of losses.entries())
      expect(loss).toBeCloseTo(run.summary.losses[4 + i] as number, 4);
    const end = await checkpoints.latest();
    expect(storedSettings(end?.progress.config ?? '')).toEqual(renamed(JSON.parse(run.config) as never));
  });
});
