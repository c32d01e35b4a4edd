import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { memorySource } from '../../../../src/eeg/files/bytes';
import { pairFiles, type RecordingFiles, type RecordingInfo } from '../../../../src/eeg/files/recording';
import { writeEdf } from '../../../../src/eeg/files/edf/write';
import { CHANNELS } from '../../../../src/eeg/signal/montage';
import { BLOCK, prepareRecording } from '../../../../src/eeg/signal/prepare';
import { generate } from '../../../../src/eeg/synthetic/generator';
import type { Interpolation } from '../../../../src/eeg/signal/channels';
import { WindowsInOrder } from '../../../../src/eeg/windows/blocks';
import { PageReader } from '../../../../src/eeg/files/page';
import { Dataset, openRecordings } from '../../../../src/eeg/windows/dataset';
import { WINDOW, windowStarts } from '../../../../src/eeg/windows/windows';
import { fullTest } from '../../../full';
import { longRecording } from '../long_recording';

/** A recording of 150 s with a gap behind the 100th, in EDF+D. */
async function recording(rate: number): Promise<{ files: RecordingFiles; info: RecordingInfo }> {
  const { signals } = generate({ seed: 3, duration: 150, seizures: 1, rate, lineFrequency: 60 });
  const bytes = writeEdf({
    kind: 'EDF+D',
    recordDuration: 1,
    recordStarts: Array.from({ length: 150 }, (_, i) => (i < 100 ? i : i + 20)),
    signals: signals.map((values, i) => ({
      label: CHANNELS[i] ?? '',
      unit: 'uV',
      rate,
      physicalMinimum: -3276.8,
      physicalMaximum: 3276.7,
      values,
    })),
  });
  const paired = pairFiles([{ path: 'a.edf', data: memorySource(bytes) }]);
  const { recordings } = await openRecordings(paired);
  return { files: paired[0] as RecordingFiles, info: recordings[0] as RecordingInfo };
}

/** A hash, which is compared faster than an array. */
const bits = (values: Float32Array): string =>
  createHash('sha256')
    .update(Buffer.from(values.buffer, 0, values.byteLength))
    .digest('hex');

describe('a missing Fz', () => {
  const fz = CHANNELS.indexOf('Fz');
  const zOfFz = async (others: readonly string[], interpolation: Interpolation): Promise<number[]> => {
    const labels = [...CHANNELS.filter((channel) => channel !== 'Fz'), ...others];
    const { signals } = generate({ seed: 3, duration: 60, seizures: 0, rate: 256, lineFrequency: 60 });
    const bytes = writeEdf({
      kind: 'EDF',
      recordDuration: 1,
      signals: labels.map((label, i) => ({
        label,
        unit: 'uV',
        rate: 256,
        physicalMinimum: -3276.8,
        physicalMaximum: 3276.7,
        values: signals[i] ?? signals[0] ?? new Float32Array(),
      })),
    });
    const files = pairFiles([{ path: 'a.edf', data: memorySource(bytes) }]);
    const { recordings } = await openRecordings(files);
    const x = new Float32Array(WINDOW * 19);
    const dataset = new Dataset({ files, recordings }, undefined, undefined, interpolation);
    await dataset.fill({ recording: 0, start: 0 }, x, new Float32Array(WINDOW));
    if (others.includes('EKG1'))
      expect(recordings[0]?.warnings.join()).toMatch(
        /the trainer reads zeros there, because EKG1 has no position/,
      );
    return [x[1000 * 19 + fz] ?? NaN, x[9000 * 19 + fz] ?? NaN];
  };

  test('is interpolated; as the trainer it is zero where another signal has no position', async () => {
    const interpolated = await zOfFz(['EKG1'], 'spline');
    expect(interpolated.every((value) => Math.abs(value) > 1e-3)).toBe(true);
    expect(await zOfFz(['EKG1'], 'trainer')).toEqual([0, 0]);
    // A1 has a position, so the trainer interpolates.
    expect(await zOfFz(['A1'], 'trainer')).toEqual(interpolated);
  });
});

describe('a recording in blocks', () => {
  test('is the same to the bit whether it is prepared in memory or stretch by stretch', async () => {
    const { files, info } = await recording(256);
    expect(info.resampled).toBe(false);
    const blocks = async (groupBytes?: number): Promise<Float32Array[]> => {
      const all: Float32Array[] = [];
      for await (const { block, group, values } of prepareRecording(
        files,
        info,
        () => undefined,
        groupBytes,
      )) {
        expect(group).toHaveLength(CHANNELS.length);
        expect(block).toBe(all.length);
        all.push(values);
      }
      return all;
    };
    const whole = await blocks();
    expect(whole).toHaveLength(Math.ceil((150 * 256) / BLOCK));
    expect((await blocks(1)).map(bits)).toEqual(whole.map(bits));
  });

  test.each([256, 250])('at %i Hz gives the windows of a data set, one after the other', async (rate) => {
    const { files, info } = await recording(rate);
    const dataset = new Dataset({ files: [files], recordings: [info] });
    const windows = new WindowsInOrder(files, info, undefined);
    const starts = windowStarts(info);
    expect(starts).toHaveLength(5);
    for (const start of starts) {
      const [x, expected] = [new Float32Array(WINDOW * 19), new Float32Array(WINDOW * 19)];
      await windows.fill(start, x);
      await dataset.fill({ recording: 0, start }, expected, new Float32Array(WINDOW));
      expect(bits(x)).toBe(bits(expected));
    }
    await windows.close();
  });

  test('is no longer read when whoever waits throws', async () => {
    const { files, info } = await recording(256);
    const windows = new WindowsInOrder(files, info, undefined, () => {
      throw new Error('enough');
    });
    await expect(windows.fill(0, new Float32Array(WINDOW * 19))).rejects.toThrow('enough');
  });
});

describe('a long recording', () => {
  test('of a day is opened and shown by reading some kilobytes', async () => {
    const { source, bytesRead } = longRecording(24);
    const files = pairFiles([{ path: 'day.edf', data: source }]);
    const { recordings } = await openRecordings(files);
    expect(recordings[0]).toMatchObject({ duration: 86_400, unusable: null });
    await new PageReader().read(files[0] as RecordingFiles, 43_200, 10);
    // The header a few times, and the ten seconds.
    expect(bytesRead()).toBeLessThan(5 * 5120 + 12 * 19 * 256 * 2);
  });

  fullTest('is prepared in memory that does not grow with its length', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const files = pairFiles([{ path: 'long.edf', data: longRecording(1.25).source }]);
    const [info] = (await openRecordings(files)).recordings;
    /** At each slice of seven minutes, in each of three passes. */
    const bytes: number[] = [];
    const prepared = prepareRecording(
      files[0] as RecordingFiles,
      info as RecordingInfo,
      () => void bytes.push(held()),
      1,
    );
    let blocks = 0;
    for await (const { block } of prepared) blocks = block + 1;
    expect(blocks).toBe(75);
    expect(bytes).toHaveLength(33);
    // Each slice would add 8 MiB of signal. What was not collected yet only adds to what is held, so the least counts.
    for (const first of [0, 11, 22]) {
      const [early, late] = [bytes.slice(first + 1, first + 4), bytes.slice(first + 8, first + 11)];
      expect(Math.min(...late) - Math.max(...early)).toBeLessThan(2 ** 24);
    }
  });
});
