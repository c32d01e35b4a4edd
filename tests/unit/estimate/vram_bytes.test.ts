import { describe, expect, it } from 'vitest';
import { PRODUCTION_VRAM } from './plans';
import { predictVram } from '../../../src/estimate/vram/predict';

/**
 * What was predicted before the lowering of the graph was rewritten. A number here changes only where a rule of PyTorch's
 * is corrected, and then in the same commit.
 */
describe('predicted bytes stay as they are', () => {
  it.each([
    ['conv', 'fp32', 'bce', 1, 1, false, [419_609_830, 509_343_232, 538_861_635, 553_648_128, 236_227_584]],
    [
      'conv',
      'fp32',
      'focal',
      8,
      1,
      false,
      [2_114_744_038, 2_255_646_208, 2_474_320_246, 2_464_153_600, 236_719_104],
    ],
    [
      'conv',
      'fp32',
      'focal',
      64,
      4,
      false,
      [4_027_771_274, 4_258_548_224, 4_726_609_761, 4_441_767_936, 236_719_104],
    ],
    [
      'conv',
      'fp32',
      'focal',
      8,
      1,
      true,
      [913_255_219, 1_072_427_520, 1_359_090_227, 1_258_291_200, 82_329_600],
    ],
    ['conv', 'fp16', 'bce', 1, 1, false, [337_233_864, 419_856_384, 440_142_177, 442_499_072, 126_124_032]],
    [
      'conv',
      'fp16',
      'focal',
      8,
      1,
      false,
      [1_271_057_700, 1_359_969_792, 1_468_583_552, 1_459_617_792, 126_615_552],
    ],
    [
      'conv',
      'fp16',
      'focal',
      64,
      4,
      false,
      [2_320_376_161, 2_464_080_896, 2_692_490_040, 2_615_148_544, 126_615_552],
    ],
    ['conv', 'fp16', 'focal', 8, 1, true, [612_423_066, 721_097_728, 870_444_800, 878_706_688, 35_543_040]],
    ['mamba2', 'fp32', 'bce', 1, 1, false, [771_579_136, 814_625_792, 871_289_702, 845_152_256, 380_043_264]],
    [
      'mamba2',
      'fp32',
      'focal',
      8,
      1,
      false,
      [3_226_383_616, 3_553_054_208, 4_038_477_670, 3_783_262_208, 380_534_784],
    ],
    [
      'mamba2',
      'fp32',
      'focal',
      64,
      4,
      false,
      [6_134_764_288, 6_790_427_136, 7_790_356_531, 7_042_236_416, 380_534_784],
    ],
    [
      'mamba2',
      'fp32',
      'focal',
      8,
      1,
      true,
      [1_451_023_718, 1_556_601_856, 1_658_584_730, 1_751_121_920, 82_329_600],
    ],
    ['mamba2', 'fp16', 'bce', 1, 1, false, [669_694_413, 693_776_384, 723_507_046, 824_180_736, 198_054_912]],
    [
      'mamba2',
      'fp16',
      'focal',
      8,
      1,
      false,
      [1_971_915_008, 2_129_868_800, 2_378_219_571, 2_311_061_504, 198_546_432],
    ],
    [
      'mamba2',
      'fp16',
      'focal',
      64,
      4,
      false,
      [3_561_292_749, 3_895_532_544, 4_396_564_326, 4_066_377_728, 198_546_432],
    ],
    [
      'mamba2',
      'fp16',
      'focal',
      8,
      1,
      true,
      [1_038_558_362, 1_095_372_800, 1_151_976_704, 1_189_085_184, 35_543_040],
    ],
  ] as const)(
    '%s, %s, %s, batch %i in %i parts, checkpointing %s',
    (mixer, precision, loss, batch, microBatches, checkpointing, bytes) => {
      const run = { ...PRODUCTION_VRAM, mixer, precision, loss, batch, microBatches, checkpointing };
      const { allocated, reserved, savedPerWindow } = predictVram(run);
      // The ends of a range are products with a spread such as 0.97.
      expect(
        [allocated.low, allocated.likely, allocated.high, reserved.likely, savedPerWindow].map(Math.round),
      ).toEqual(bytes);
    },
  );
});
