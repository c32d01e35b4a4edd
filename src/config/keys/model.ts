/** Section model. */
import { MODEL as SIZES } from '../../base/production';
import { choice, fixed, float, int, keysOf, list, odd, type Key } from './declare';

const { live, partial, unused } = keysOf('model');
const WIDTHS = [1, 2, 4, 8].map((factor) => factor * SIZES.baseChannels);
const WIDTH = SIZES.baseChannels * 2 ** (SIZES.depth - 1);

export const MODEL: readonly Key[] = [
  live('name', choice('seizure_detector'), 'seizure_detector', 'The one architecture that there is.'),
  live(
    'encoder.stages',
    fixed(SIZES.depth),
    SIZES.depth,
    'Stages of the encoder, each of which halves the length.',
  ),
  live('encoder.channels', fixed(WIDTHS), WIDTHS, 'Channels of the encoder’s stages.'),
  live('encoder.downsample_factor', fixed(2), 2, 'By how much a stage shortens the signal.'),
  unused('encoder.kernel_size', int(3, 9), 5, 'Kernel of the encoder’s convolutions.', {
    why: 'the first is always 7, the others 5',
    unit: 'samples',
  }),
  live(
    'rescnn.n_blocks',
    fixed(SIZES.rescnnBlocks),
    SIZES.rescnnBlocks,
    'Residual blocks behind the encoder.',
  ),
  live(
    'rescnn.kernel_sizes',
    list(odd(3, 11)),
    SIZES.kernelSizes,
    'Kernels of a residual block’s branches, which share its 512 channels.',
    { unit: 'samples' },
  ),
  unused('rescnn.dropout', float(0, 0.5), 0.1, 'Dropout of the residual blocks.', {
    why: 'model.mamba.dropout is used for both',
  }),
  live('mamba.n_layers', int(1, 12), SIZES.layers, 'Bidirectional layers: time and memory grow with it.'),
  live('mamba.d_model', fixed(WIDTH), WIDTH, 'Channels of the layers.'),
  live('mamba.d_state', fixed(SIZES.dState), SIZES.dState, 'States of a head.'),
  partial(
    'mamba.conv_kernel',
    int(3, 9),
    SIZES.convKernel,
    'Kernel of the mixer’s depthwise convolution. 3 is the one size that both builds run as written.',
    {
      why: 'the CUDA operator takes 2 to 4, so 5 becomes 4 with one warning; the fallback runs odd kernels as written and breaks on even ones',
      unit: 'samples',
    },
  ),
  live('mamba.dropout', float(0, 0.5), SIZES.dropout, 'Dropout of the layers and of the residual blocks.'),
  live(
    'decoder.stages',
    fixed(SIZES.depth),
    SIZES.depth,
    'Stages of the decoder, each of which doubles the length.',
  ),
  unused('decoder.kernel_size', int(2, 8), 2, 'Kernel of the decoder’s transposed convolutions.', {
    why: 'it is always 2',
    unit: 'samples',
  }),
];
