import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { requestNodeDevice } from '../../../src/cli/node_device';
import { Detection } from '../../../src/detection/detect';
import type { DetectionEvent } from '../../../src/detection/protocol';
import { readWeightsFile } from '../../../src/detection/weights';
import { DEFAULT_POSTPROCESSING } from '../../../src/eeg/events/postprocess';
import { pairFiles } from '../../../src/eeg/files/recording';
import { SAMPLE_RATE } from '../../../src/eeg/signal/preprocess';
import { openRecordings } from '../../../src/eeg/windows/dataset';
import { fullTest } from '../../full';
import { longRecording } from '../eeg/long_recording';
import { untrained } from './untrained';

fullTest(
  'a recording of a day is detected in, in memory that does not grow with its length',
  { timeout: 3_600_000 },
  async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const folder = await openRecordings(pairFiles([{ path: 'day.edf', data: longRecording(24).source }]));
    /** After each batch. */
    const bytes: number[] = [];
    let last: DetectionEvent | undefined;
    const detection = new Detection({
      device: requestNodeDevice,
      weights: readWeightsFile(new Uint8Array(untrained(9))),
      folder,
      postprocessing: DEFAULT_POSTPROCESSING,
      stride: 60 * SAMPLE_RATE,
      emit: (event) => {
        if (event.type === 'detecting' && event.done > 0) {
          collect();
          bytes.push(process.memoryUsage().arrayBuffers);
        }
        if (event.type === 'detected')
          expect(event.result.predicted).toEqual([
            { start: 0, end: 86_400, confidence: expect.closeTo(1, 3) as number },
          ]);
        last = event;
      },
    });
    await detection.run();
    expect(last).toMatchObject({ type: 'finished', reason: 'completed' });
    expect(bytes.length).toBeGreaterThan(300);
    // What was not collected yet only adds to what is held, so the least counts; a day takes 1.6 GiB when it is prepared.
    expect(Math.min(...bytes.slice(-20)) - Math.max(...bytes.slice(20, 40))).toBeLessThan(2 ** 26);
  },
);
