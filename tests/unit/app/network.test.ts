import { expect, test } from 'vitest';
import {
  LAYERS,
  layersAt,
  networkPicture,
  nextWidth,
  VIEW,
  widthAt,
  WIDTHS,
} from '../../../src/app/pages/detector/network_view';
import { parametersOf } from '../../../src/training/fits';
import { PRODUCTION_RUN } from '../../../src/training/settings';
import { boundsOf } from '../../../src/training/fields';
import { SETTINGS } from '../../../src/training/settings_table';

test('what is pulled lies where its handle is drawn, within the bounds of the settings', () => {
  for (const width of [2, 4, 16, 64, 256])
    for (const layers of [1, 6, 12]) {
      const { blocks, widthHandle, layersHandle } = networkPicture(width, layers);
      expect([widthAt(widthHandle.y), layersAt(layersHandle.x, width)]).toEqual([width, layers]);
      expect(blocks.filter(({ kind }) => kind === 'mamba')).toHaveLength(layers);
      for (const { x, y, width: size, height } of blocks) {
        expect(x + size).toBeLessThanOrEqual(VIEW.width);
        expect([y >= 0, height > 0]).toEqual([true, true]);
      }
    }
  expect([widthAt(-1000), widthAt(1000), layersAt(-1000, 8), layersAt(1000, 8)]).toEqual([256, 2, 1, 12]);
  expect([nextWidth(16, true), nextWidth(20, true), nextWidth(20, false), nextWidth(2, false)]).toEqual([
    32, 32, 16, 2,
  ]);
  expect(boundsOf(SETTINGS['model.baseChannels'])).toMatchObject(WIDTHS);
  expect(boundsOf(SETTINGS['model.layers'])).toMatchObject(LAYERS);
});

test('the production network has its 13,397,799 parameters with the fallback', () => {
  const { model } = PRODUCTION_RUN;
  expect(parametersOf({ model: { ...model, mixer: 'conv' } })).toBe(13_397_799);
});
