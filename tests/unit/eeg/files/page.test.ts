import { describe, expect, test } from 'vitest';
import { memorySource, type ByteSource } from '../../../../src/eeg/files/bytes';
import { writeEdf } from '../../../../src/eeg/files/edf/write';
import { PageReader } from '../../../../src/eeg/files/page';
import { inspectRecording, type RecordingFiles } from '../../../../src/eeg/files/recording';
import { highestInRecordedTime, inRecordedTime } from '../../../../src/eeg/files/recorded_time';
import { CHANNELS } from '../../../../src/eeg/signal/montage';

/** A sine of 2 Hz in recorded time on every channel; records of one second at `recordStarts`. */
function recording(recordStarts: readonly number[], rateOf: (channel: number) => number): Uint8Array {
  return writeEdf({
    kind: 'EDF+D',
    recordDuration: 1,
    recordStarts,
    signals: CHANNELS.map((channel, index) => {
      const rate = rateOf(index);
      return {
        label: `EEG ${channel}-REF`,
        unit: 'uV',
        rate,
        physicalMinimum: -3276.8,
        physicalMaximum: 3276.7,
        values: recordStarts.flatMap((start) =>
          Array.from({ length: rate }, (_, i) => sine(start + i / rate)),
        ),
      };
    }),
  });
}

const sine = (time: number): number => 100 * Math.sin(2 * Math.PI * 2 * time);

/** Counts what is read. */
function counted(bytes: Uint8Array): { source: ByteSource; read: () => number } {
  const inner = memorySource(bytes);
  let total = 0;
  return {
    source: {
      size: inner.size,
      read: (offset, length) => {
        total += length;
        return inner.read(offset, length);
      },
    },
    read: () => total,
  };
}

const files = (data: ByteSource): RecordingFiles => ({
  recording: { path: 'gaps.edf', data },
  annotations: [],
});

/** 0 to 3 s, then 10 to 15 s. */
const STARTS = [0, 1, 2, 10, 11, 12, 13, 14];

describe('a page', () => {
  test('puts channels of several rates on one grid, and gaps where they are', async () => {
    const bytes = recording(STARTS, (channel) => (channel === 0 ? 128 : 256));
    const page = await new PageReader().read(files(memorySource(bytes)), 1.25, 9.75);
    expect(page.rate).toBe(256);
    expect(page.channels).toHaveLength(19);
    for (const values of page.channels) {
      expect(values).toHaveLength(9.75 * 256);
      values.forEach((value, i) => {
        const time = 1.25 + i / 256;
        if (time >= 3 && time < 10) expect(value).toBeNaN();
        // Between samples of 128 Hz a line misses a sine of 2 Hz by 0.12 µV, behind a segment's last by a step of 10 µV.
        else if (Math.abs((time % 10) - 3) > 1 / 128) expect(Math.abs(value - sine(time))).toBeLessThan(0.2);
      });
    }
  });

  test('reads kilobytes, and the times of all records only once', async () => {
    const starts = Array.from({ length: 600 }, (_, i) => (i < 300 ? i : i + 60));
    const { source, read } = counted(recording(starts, () => 256));
    const reader = new PageReader();
    const same = files(source);
    await reader.read(same, 0, 10);
    const before = read();
    await reader.read(same, 400, 10);
    expect(read() - before).toBeLessThan(13 * 19 * 256 * 2 + 13 * 1000);
  });
});

describe('recorded time', () => {
  test('comes back from the prepared signal, which has no gaps', async () => {
    const info = await inspectRecording(files(memorySource(recording(STARTS, () => 256))));
    const events = [
      { start: 1, end: 2, confidence: 0.5 },
      { start: 2.5, end: 4, confidence: 0.75 },
      { start: 5, end: 7, confidence: 1 },
    ];
    expect(inRecordedTime(events, info.segments)).toEqual([
      { start: 1, end: 2, confidence: 0.5 },
      { start: 2.5, end: 3, confidence: 0.75 },
      { start: 10, end: 11, confidence: 0.75 },
      { start: 12, end: 14, confidence: 1 },
    ]);
    const values = new Float32Array(info.samples).fill(0.25);
    values[3 * 256 + 300] = 0.9; // 11.17 s
    const shown = highestInRecordedTime(values, info.segments, info.duration, 4);
    expect(shown).toHaveLength(60);
    expect([...shown.keys()].filter((i) => Number.isNaN(shown[i]))).toEqual(
      Array.from({ length: 28 }, (_, i) => 12 + i),
    );
    expect(shown[44]).toBeCloseTo(0.9, 6);
    expect(shown.filter((value) => value > 0.5)).toHaveLength(1);
  });
});
