import { describe, expect, test } from 'vitest';
import { settingsIn } from '../../../src/config/settings';
import { fromTrainer, toTrainer } from '../../../src/training/config';
import { PRODUCTION_RUN, SMOKE_RUN, type EegSettings } from '../../../src/training/settings';
import { decodeShare, differences, encodeShare } from '../../../src/training/share';

describe('a link', () => {
  test('holds the differences alone, and gives the settings back', () => {
    const settings: EegSettings = {
      ...SMOKE_RUN,
      model: { ...SMOKE_RUN.model, baseChannels: 8, mixer: 'conv' },
      stepsPerEpoch: null,
      balanced: false,
      learningRate: 3e-4,
      falseAlarmRates: [10, 0.5],
      earlyStopping: { ...SMOKE_RUN.earlyStopping, metric: 'sensitivity_at_0.5fa', mode: 'min', patience: 5 },
    };
    const link = encodeShare(settings);
    expect(link).toBe(
      'v=1&model.baseChannels=8&model.mixer=conv&learningRate=0.0003&balanced=false&stepsPerEpoch=null&falseAlarmRates=10%2C0.5&earlyStopping.metric=sensitivity_at_0.5fa&earlyStopping.mode=min',
    );
    expect(decodeShare(link)).toEqual(settings);
    expect(encodeShare(SMOKE_RUN)).toBe('v=1');
    expect(decodeShare(encodeShare(PRODUCTION_RUN))).toEqual(PRODUCTION_RUN);
    expect(differences(SMOKE_RUN, settings)).toContainEqual({
      name: 'balanced',
      label: 'Balanced sampling',
      from: true,
      to: false,
      texts: ['on', 'off'],
    });
  });

  test('takes each list that the form takes', () => {
    const settings = { ...SMOKE_RUN, falseAlarmRates: [] };
    expect(decodeShare(encodeShare(settings))).toEqual(settings);
  });

  test('shows differences as the form does', () => {
    const other = {
      ...SMOKE_RUN,
      memoryLimit: 3 * 2 ** 30,
      workers: 2,
      loss: 'bce' as const,
      falseAlarmRates: [],
    };
    expect(differences(SMOKE_RUN, other).map(({ label, texts }) => [label, ...texts])).toEqual([
      ['Loss', 'Focal', 'Binary cross-entropy'],
      ['Data-loader workers', '0', '2'],
      ['False-alarm rates', '10, 5, 2.5, 1 in 24 h', 'none'],
      ['GPU memory limit', 'no limit', '3 GiB'],
    ]);
  });

  test.each([
    ['', 'the link is of version (none), this page reads version 1'],
    ['v=2&epochs=3', 'the link is of version "2", this page reads version 1'],
    [
      `v=9%0A%E2%80%AE${'W'.repeat(900)}`,
      `the link is of version "9\\n\\u202e${'W'.repeat(56)}…", this page`,
    ],
    ['v=1&earlyStopping.metric=nonsense', 'it must be one of auroc, taes'],
    ['v=1&falseAlarmRates=1,x', 'the link sets falseAlarmRates to "1,x"; it must be a list of numbers'],
    ['v=1&model.kernelSizes=', 'there must be at least one kernel size'],
    ['v=1&epoch=3', 'the link sets "epoch", which is not a setting'],
    ['v=1&model=3', 'the link sets "model", which is not a setting'],
    ['v=1&__proto__.x=3', 'the link sets "__proto__.x", which is not a setting'],
    ['v=1&epochs=many', 'the link sets epochs to "many"; it must be a whole number from 1 to 200'],
    ['v=1&epochs=null', 'the link sets epochs to "null"; it must be a whole number from 1 to 200'],
    ['v=1&epochs=1000', 'the link sets epochs to "1000"; it must be a whole number from 1 to 200'],
    ['v=1&epochs=3&epochs=4', 'the link sets "epochs" twice'],
    ['v=1&v=1&epochs=3', 'the link sets "v" twice'],
    ['v=1&seed=0.5', 'the link sets seed to "0.5"; it must be a whole number'],
    [
      'v=1&learningRate=Infinity',
      'the link sets learningRate to "Infinity"; it must be a number from 0.000001 to 0.01',
    ],
    ['v=1&model.kernelSizes=3,x', 'from 3 to 11, with commas between them'],
    ['v=1&model.kernelSizes.0=3', 'the link sets "model.kernelSizes.0", which is not a setting'],
    ['v=1&model.kernelSizes=4', 'to "4"; it must be a list of odd whole numbers from 3 to 11'],
    ['v=1&earlyStopping.metric=%3Cimg%3E', 'to "<img>"; it must be one of auroc, taes, sensitivity_at_10fa'],
    ['v=1&postprocessing.opening_kernel=4', 'it must be an odd whole number of at least 1'],
    ['v=1&constructor=3', 'the link sets "constructor", which is not a setting'],
    [`v=1${'&x'.repeat(2000)}`, 'the link has 4003 characters of settings, at most 4000 are read'],
    ['v=1&loss=hinge', 'the link sets loss to "hinge"; it must be one of bce, focal'],
    ['v=1&balanced=yes', 'the link sets balanced to "yes"; it must be true or false'],
  ])('%#: a link with a wrong name or value is rejected with a sentence', (link, message) => {
    expect(() => decodeShare(link)).toThrow(message);
  });
});

test("the trainer's configuration of a run means the same run", () => {
  const settings: EegSettings = {
    ...PRODUCTION_RUN,
    split: 'file',
    epochs: 7,
    batch: 12,
    learningRate: 1e-4,
    model: { ...PRODUCTION_RUN.model, kernelSizes: [3, 11] },
    falseAlarmRates: [10, 0.5],
    earlyStopping: {
      ...PRODUCTION_RUN.earlyStopping,
      metric: 'sensitivity_at_10fa',
      mode: 'min',
      patience: 3,
    },
  };
  const config = settingsIn(toTrainer(settings));
  expect(fromTrainer(config).settings).toEqual(settings);
});
