/** The run of the opening page: it is shown recorded, and trained live by whoever wants to. */
import { DEMO_CORPUS } from '../eeg/synthetic/corpus';
import type { Watched } from './protocol';
import { SMOKE_RUN, withValues } from './settings';

export const DEMO = {
  /** Of the synthetic recordings. */
  seed: DEMO_CORPUS.seed,
  /** Narrow enough for a browser without a graphics card: the whole run takes seven minutes of one core on SwiftShader. */
  settings: withValues(SMOKE_RUN, {
    'model.baseChannels': 4,
    'model.mixer': 'conv',
    'model.layers': 1,
    learningRate: 3e-3,
    loss: 'bce',
    epochs: 6,
    stepsPerEpoch: 20,
    'postprocessing.tau_on': 0.7,
    'postprocessing.tau_off': 0.5,
  }),
  /** One window of the recording that is held out, around its second seizure. */
  watched: { recording: 2, start: 116, seconds: 60, everySteps: 5 },
} as const satisfies { readonly watched: Watched; readonly [name: string]: unknown };
