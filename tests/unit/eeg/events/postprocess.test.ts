import { describe, expect, test } from 'vitest';
import { labelRuns, type Run } from '../../../../src/eeg/events/events';
import {
  closing,
  DEFAULT_POSTPROCESSING,
  EventFinder,
  hysteresis,
  limitDurations,
  merge,
  opening,
  postprocess,
  predictEvents,
  type Postprocessing,
} from '../../../../src/eeg/events/postprocess';
import { Random } from '../../../../src/base/random';
import { effortOf, expectEffort } from '../../../effort';

const run = (start: number, end: number): Run => ({ start, end });

/** Stretches of one probability: [probability, samples]. */
function signal(...stretches: [number, number][]): Float32Array {
  return Float32Array.from(
    stretches.flatMap(([probability, samples]) => new Array<number>(samples).fill(probability)),
  );
}

const small: Postprocessing = {
  ...DEFAULT_POSTPROCESSING,
  tau_on: 0.8,
  tau_off: 0.5,
  min_onset_samples: 2,
  min_offset_samples: 3,
  opening_kernel: 1,
  closing_kernel: 1,
  min_duration_s: 0,
  tau_merge: 0,
};

describe('hysteresis', () => {
  const runs = (probabilities: Float32Array, parameters: Partial<Postprocessing> = {}) => [
    ...hysteresis(probabilities, { ...small, ...parameters }),
  ];

  test('an event starts with the first sample of a long enough onset', () => {
    expect(runs(signal([0, 4], [0.9, 1], [0, 2], [0.9, 2], [0.6, 3], [0, 9]))).toEqual([run(7, 14)]);
  });

  test('both thresholds belong to the event', () => {
    expect(runs(signal([0.8, 2], [0.5, 5]))).toEqual([run(0, 7)]);
  });

  test('an offset that is too short does not end the event, and its last sample is outside it', () => {
    expect(runs(signal([0.9, 4], [0, 2], [0.6, 1], [0, 3]))).toEqual([run(0, 9)]);
    expect(runs(signal([0.9, 4], [0, 9]), { min_offset_samples: 1 })).toEqual([run(0, 4)]);
  });

  test('an event that never ends goes to the recording’s end', () => {
    expect(runs(signal([0, 1], [0.9, 3], [0, 2]))).toEqual([run(1, 6)]);
  });

  test('values between the thresholds start nothing', () => {
    expect(runs(signal([0.79, 100]))).toEqual([]);
    expect(runs(new Float32Array())).toEqual([]);
  });

  test('a threshold is compared as the float32 that the probabilities are', () => {
    expect(runs(signal([0.86, 3]), { tau_on: 0.86 })).toEqual([run(0, 3)]);
  });
});

describe('opening and closing', () => {
  test('opening drops what is shorter than the kernel and leaves the rest as it was', () => {
    expect([...opening([run(5, 9), run(20, 25), run(40, 60)], 5, 100)]).toEqual([run(20, 25), run(40, 60)]);
  });

  test('what touches the edge of the recording needs half a kernel and one sample', () => {
    expect([...opening([run(0, 2), run(98, 100)], 5, 100)]).toEqual([]);
    expect([...opening([run(0, 3), run(97, 100)], 5, 100)]).toEqual([run(0, 3), run(97, 100)]);
  });

  test('closing closes gaps shorter than the kernel', () => {
    expect([...closing([run(10, 20), run(24, 30), run(35, 40)], 5, 100)]).toEqual([run(10, 30), run(35, 40)]);
  });

  test('closing reaches the edges over half a kernel', () => {
    expect([...closing([run(2, 5), run(94, 98)], 5, 100)]).toEqual([run(0, 5), run(94, 100)]);
    expect([...closing([run(3, 5), run(94, 97)], 5, 100)]).toEqual([run(3, 5), run(94, 97)]);
  });
});

describe('durations and merging', () => {
  test('short runs go and long ones are cut', () => {
    expect([...limitDurations([run(0, 4), run(10, 15), run(20, 45)], 5, 10)]).toEqual([
      run(10, 15),
      run(20, 30),
      run(30, 40),
      run(40, 45),
    ]);
  });

  test('gaps up to the limit close', () => {
    expect([...merge([run(0, 1), run(3, 4), run(7, 8)], 2)]).toEqual([run(0, 4), run(7, 8)]);
  });

  test('pieces of a long event touch, so that it is one event again', () => {
    const long = { ...DEFAULT_POSTPROCESSING, max_duration_s: 5 };
    expect(predictEvents(signal([0, 256], [0.9, 256 * 12], [0, 600]), long, 256)).toEqual([
      {
        start: 1,
        end: 13 + 255 / 256,
        confidence: expect.closeTo((0.9 * 12) / (12 + 255 / 256), 5) as number,
      },
    ]);
  });
});

/** The same steps written for masks, sample by sample, as the trainer's are. */
function reference(probabilities: Float32Array, parameters: Postprocessing, rate: number): Uint8Array {
  const samples = probabilities.length;
  let mask = new Uint8Array(samples);
  let inside = false;
  let count = 0;
  for (let i = 0; i < samples; i++) {
    const probability = probabilities[i] as number;
    const turning = inside
      ? probability < Math.fround(parameters.tau_off)
      : probability >= Math.fround(parameters.tau_on);
    count = turning ? count + 1 : 0;
    if (inside) mask[i] = 1;
    if (count < (inside ? parameters.min_offset_samples : parameters.min_onset_samples)) continue;
    if (inside) mask[i] = 0;
    else mask.fill(1, i + 1 - count, i + 1);
    inside = !inside;
    count = 0;
  }
  const pool = (kernel: number, dilate: boolean): void => {
    const half = (kernel - 1) / 2;
    mask = mask.map((_, i) => {
      const window = mask.subarray(Math.max(0, i - half), i + half + 1);
      return Number(dilate ? window.includes(1) : !window.includes(0));
    });
  };
  pool(parameters.opening_kernel, false);
  pool(parameters.opening_kernel, true);
  pool(parameters.closing_kernel, true);
  pool(parameters.closing_kernel, false);
  for (const { start, end } of labelRuns(mask))
    if (end - start < parameters.min_duration_s * rate) mask.fill(0, start, end);
  labelRuns(mask).forEach(({ start }, i, all) => {
    const before = all[i - 1];
    if (before && (start - before.end) / rate <= parameters.tau_merge) mask.fill(1, before.end, start);
  });
  return mask;
}

test('the steps on runs give what the steps on masks give, on random signals', () => {
  const random = new Random(4);
  const odd = (below: number) => 1 + 2 * random.integer(below);
  for (let round = 0; round < 400; round++) {
    const parameters: Postprocessing = {
      ...DEFAULT_POSTPROCESSING,
      tau_on: random.uniform(0.5, 0.8),
      tau_off: random.uniform(0.2, 0.49),
      min_onset_samples: 1 + random.integer(4),
      min_offset_samples: 1 + random.integer(4),
      opening_kernel: odd(4),
      closing_kernel: odd(5),
      min_duration_s: random.integer(3),
      max_duration_s: 3,
      tau_merge: random.integer(2),
    };
    let level = 0.5;
    const probabilities = Float32Array.from({ length: random.integer(200) }, () => {
      level = Math.min(1, Math.max(0, level + random.uniform(-0.3, 0.3)));
      return level;
    });
    const runs = [...postprocess(probabilities, parameters, 4)];
    expect(runs, JSON.stringify(parameters)).toEqual(labelRuns(reference(probabilities, parameters, 4)));
  }
});

test('probabilities in pieces give the events of the whole', () => {
  const random = new Random(5);
  const methods = ['mean', 'peak', 'percentile'] as const;
  let found = 0;
  for (let round = 0; round < 300; round++) {
    const parameters: Postprocessing = {
      ...small,
      min_onset_samples: 1 + random.integer(4),
      min_offset_samples: 1 + random.integer(4),
      opening_kernel: 1 + 2 * random.integer(4),
      closing_kernel: 1 + 2 * random.integer(5),
      min_duration_s: random.integer(2),
      tau_merge: random.integer(3),
      confidence_method: methods[random.integer(3)] ?? 'mean',
    };
    let level = 0.5;
    const probabilities = Float32Array.from({ length: random.integer(300) }, () => {
      level = Math.min(1, Math.max(0, level + random.uniform(-0.4, 0.4)));
      return level;
    });
    const finder = new EventFinder(parameters, 4, probabilities.length);
    for (let at = 0; at < probabilities.length;) {
      const length = 1 + random.integer(20);
      finder.push(probabilities.slice(at, at + length));
      at += length;
    }
    const events = finder.finish();
    found += events.length;
    expect(events, JSON.stringify(parameters)).toEqual(predictEvents(probabilities, parameters, 4));
    const runs = [...postprocess(probabilities, parameters, 4)];
    expect(events.map(({ start, end }) => run(start * 4, end * 4))).toEqual(runs);
  }
  expect(found).toBeGreaterThan(300);
});

describe('confidence', () => {
  const at = (confidence_method: Postprocessing['confidence_method']) =>
    predictEvents(Float32Array.of(0, 0.9, 0.95, 1, 0.85, 0.9), { ...small, confidence_method }, 1)[0];

  test.each([
    ['mean', 0.92],
    ['peak', 1],
    ['percentile', 0.95],
  ] as const)('%s', (method, expected) => {
    expect(at(method)?.confidence).toBeCloseTo(expected, 6);
  });
});

test('a day at 256 Hz costs what its hours cost', () => {
  const random = new Random(1);
  const probabilities = Float32Array.from({ length: 256 * 3600 }, () => random.uniform());
  const day = new Float32Array(24 * probabilities.length);
  for (let hour = 0; hour < 24; hour++) day.set(probabilities, hour * probabilities.length);
  const runs = (of: Float32Array) => [
    ...postprocess(of, { ...DEFAULT_POSTPROCESSING, min_onset_samples: 1 }, 256),
  ];
  expect(runs(probabilities).length).toBeGreaterThan(0);
  const hour = effortOf(() => runs(probabilities));
  // A step that looked at all before it for each run would cost 24² hours; a day also misses the caches that hold an hour.
  expectEffort(() => runs(day), 10 * 24 * hour);
});

test.each<[Partial<Postprocessing>, RegExp]>([
  [{ tau_on: 0.7, tau_off: 0.7 }, /tau_on \(0.7\) must be above tau_off/],
  [{ tau_on: NaN }, /tau_on/],
  [{ min_onset_samples: 0 }, /min_onset_samples is 0/],
  [{ min_offset_samples: 1.5 }, /min_offset_samples is 1.5/],
  [{ opening_kernel: 4 }, /opening_kernel is 4, and must be odd/],
  [{ closing_kernel: -1 }, /closing_kernel is -1/],
  [{ min_duration_s: -1 }, /min_duration_s is -1/],
  [{ max_duration_s: 2 }, /max_duration_s is 2.*not below min_duration_s/],
  [{ tau_merge: NaN }, /tau_merge is NaN/],
])('%o is rejected', (parameters, message) => {
  const all = { ...DEFAULT_POSTPROCESSING, ...parameters };
  expect(() => [...postprocess(new Float32Array(9), all, 256)]).toThrow(message);
});
