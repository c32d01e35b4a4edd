/** The detector as a picture: a block for each part, as high as its channels and in the order of the data. */
import { PRODUCTION } from '../../../models/detector';
import { boundsOf } from '../../../training/fields';
import { SETTINGS } from '../../../training/settings_table';

/** Of the picture, in its own units. */
export const VIEW = { width: 400, height: 150 } as const;

const rangeOf = (name: 'model.baseChannels' | 'model.layers') => {
  const { min = 1, max = 1 } = boundsOf(SETTINGS[name]);
  return { min, max };
};

export const WIDTHS = rangeOf('model.baseChannels');
export const LAYERS = rangeOf('model.layers');

/** Height of a block is the same step for each doubling of its channels. */
const PER_DOUBLING = 11;
const GAP = 4;
const STAGE = 20;
const LAYER = 8;
const BASELINE = 128;

export interface Block {
  readonly kind: 'encoder' | 'rescnn' | 'mamba' | 'decoder';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly title: string;
}

export interface NetworkPicture {
  readonly blocks: readonly Block[];
  readonly captions: readonly { readonly x: number; readonly text: string }[];
  /** Where the width and the number of layers are pulled. */
  readonly widthHandle: { readonly x: number; readonly y: number };
  readonly layersHandle: { readonly x: number; readonly y: number };
}

const heightOf = (channels: number): number => PER_DOUBLING * Math.log2(channels);

/** `width`: channels of the first stage. */
export function networkPicture(width: number, layers: number): NetworkPicture {
  const { depth, rescnnBlocks } = PRODUCTION;
  const blocks: Block[] = [];
  let x = 6;
  const add = (kind: Block['kind'], channels: number, size: number, title: string): void => {
    const height = heightOf(channels);
    blocks.push({
      kind,
      x,
      y: BASELINE - height,
      width: size,
      height,
      title: `${title}, ${channels} channels`,
    });
    x += size + GAP;
  };
  const widths = Array.from({ length: depth }, (_, stage) => width * 2 ** stage);
  const deepest = widths.at(-1) ?? width;
  const captions: { x: number; text: string }[] = [];
  const part = (text: string, fill: () => void): void => {
    const from = x;
    fill();
    captions.push({ x: (from + x - GAP) / 2, text });
    x += GAP;
  };
  part('encoder', () =>
    widths.forEach((channels, i) => add('encoder', channels, STAGE, `Encoder stage ${i + 1}`)),
  );
  part('ResCNN', () => {
    for (let i = 0; i < rescnnBlocks; i++) add('rescnn', deepest, LAYER, `Residual block ${i + 1}`);
  });
  const from = x;
  part('mixer', () => {
    for (let i = 0; i < layers; i++) add('mamba', deepest, LAYER, `Bidirectional layer ${i + 1}`);
  });
  const layersHandle = { x: from + layers * (LAYER + GAP) - GAP / 2, y: BASELINE - heightOf(deepest) / 2 };
  part('decoder', () =>
    widths.toReversed().forEach((channels, i) => add('decoder', channels, STAGE, `Decoder stage ${i + 1}`)),
  );
  const [first] = blocks;
  const widthHandle = { x: 6 + STAGE / 2, y: first?.y ?? 0 };
  return { blocks, captions, widthHandle, layersHandle };
}

/** The even width whose first block ends at a height of the picture. */
export function widthAt(y: number): number {
  const channels = 2 ** ((BASELINE - y) / PER_DOUBLING);
  return Math.min(WIDTHS.max, Math.max(WIDTHS.min, 2 * Math.round(channels / 2)));
}

/** The number of layers that end at a place of the picture. */
export function layersAt(x: number, width: number): number {
  const { layersHandle } = networkPicture(width, 0);
  return Math.min(LAYERS.max, Math.max(LAYERS.min, Math.round((x - layersHandle.x) / (LAYER + GAP))));
}

/** The next doubling or halving of a width. */
export const nextWidth = (width: number, up: boolean): number =>
  Math.min(
    WIDTHS.max,
    Math.max(WIDTHS.min, 2 ** (up ? Math.floor(Math.log2(width)) + 1 : Math.ceil(Math.log2(width)) - 1)),
  );
