/** Every key of the trainer's configuration: what it may be, what it does there. Read in its source at 2025-09-21. */
import { DATA, PREPROCESSING } from './data';
import type { Key } from './declare';
import { MODEL } from './model';
import { OTHER } from './other';
import { POSTPROCESSING } from './postprocessing';
import { TRAINING } from './training';

export type { Effect, Key, Kind } from './declare';

/** In the order in which files write them. */
export const KEYS: readonly Key[] = [
  ...DATA,
  ...PREPROCESSING,
  ...MODEL,
  ...POSTPROCESSING,
  ...TRAINING,
  ...OTHER,
];

export const KEY_AT: ReadonlyMap<string, Key> = new Map(KEYS.map((one) => [one.path, one]));

/** Names of keys and sections directly below a section, in the order of KEYS; '' is the file. */
export function namesBelow(section: string): string[] {
  const prefix = section === '' ? '' : `${section}.`;
  const below = KEYS.filter(({ path }) => path.startsWith(prefix));
  return [...new Set(below.map(({ path }) => path.slice(prefix.length).split('.')[0] ?? ''))];
}

/** Sections that a file must have: the others have defaults throughout. */
export const REQUIRED_SECTIONS: readonly string[] = ['data', 'model', 'training', 'postprocessing'];

export interface Section {
  readonly title: string;
  readonly description: string;
  /** May be null, which is as if it were absent. */
  readonly nullable?: boolean;
}

/** Sections by their path; '' is the file. */
export const SECTIONS: Readonly<Record<string, Section>> = {
  '': {
    title: 'Configuration',
    description:
      'Configuration of a training run of the seizure detector. Stricter than the trainer where that helps: numbers and booleans are written as such, and keys that it would silently drop are marked.',
  },
  data: { title: 'Data', description: 'Recordings, windows, and the processes that read them.' },
  preprocessing: { title: 'Preprocessing', description: 'All of it is fixed in code.' },
  model: { title: 'Model', description: 'The detector: encoder, residual blocks, Mamba layers, decoder.' },
  'model.encoder': { title: 'Encoder', description: 'Convolutions that shorten 15,360 samples to 960.' },
  'model.rescnn': { title: 'Residual blocks', description: 'Convolutions of several widths at the bottom.' },
  'model.mamba': { title: 'Mamba', description: 'Bidirectional state-space layers at the bottom.' },
  'model.decoder': { title: 'Decoder', description: 'Convolutions back to a probability for each sample.' },
  postprocessing: { title: 'Post-processing', description: 'How probabilities become events.' },
  'postprocessing.hysteresis': { title: 'Hysteresis', description: 'Where events start and end.' },
  'postprocessing.morphology': { title: 'Morphology', description: 'Opening and closing of events.' },
  'postprocessing.duration': { title: 'Duration', description: 'How long events may be.' },
  'postprocessing.events': { title: 'Events', description: 'Merging of events and their confidence.' },
  'postprocessing.stitching': { title: 'Stitching', description: 'Windows to one track; never read.' },
  training: { title: 'Training', description: 'The loop: optimizer, loss, schedule, when it stops.' },
  'training.scheduler': { title: 'Schedule', description: 'Of the learning rate.' },
  'training.early_stopping': { title: 'Early stopping', description: 'Which score ends a run early.' },
  evaluation: { title: 'Evaluation', description: 'What validation scores.' },
  experiment: { title: 'Experiment', description: 'Seed, device and folders of the run.' },
  'experiment.wandb': { title: 'Weights & Biases', description: 'Its logger, which is not wired.' },
  logging: { title: 'Logging', description: 'What is logged while it trains; never read.' },
  resources: { title: 'Resources', description: 'Limits of the machine; never read.', nullable: true },
};
