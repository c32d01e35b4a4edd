/** What passes between the page and the worker that trains on EEG; see the service for the calls. */
import type { RecordingResult } from '../detection/protocol';
import type { DetectorScores } from '../eeg/scores/evaluate';
import type { Slot } from '../checkpoints/run';
import type { PredictedEvent } from '../eeg/events/events';
import type { Postprocessing } from '../eeg/events/postprocess';
import type { EdfAnnotation } from '../eeg/files/edf/file';
import type { SeizureTexts } from '../eeg/files/edf_labels';
import type { SignalPage } from '../eeg/files/page';
import type { Interpolation } from '../eeg/signal/channels';
import type { Mixer } from '../models/bimamba';
import type { RecordingInfo } from '../eeg/files/recording';
import type { AdapterDescription } from '../engine/device';
import type { Metrics } from '../run/progress';
import type { DeviceReport, Failure, Preparation } from '../run/protocol';
import type { Suggestion } from './fits';
import type { EegSettings } from './settings';

export interface FolderReport {
  readonly recordings: readonly RecordingInfo[];
  readonly rejected: readonly { readonly path: string; readonly reason: string }[];
  /** Whether the recordings are made up. */
  readonly synthetic: boolean;
}

/** How many of the recordings were looked at. */
export interface Listed {
  readonly done: number;
  readonly total: number;
}

/** Indices of recordings. */
export interface RunSplit {
  readonly training: readonly number[];
  readonly validation: readonly number[];
  /** Held out, and left out of the validation because they have no annotations. */
  readonly unlabelled: readonly number[];
}

export interface EegPlan {
  readonly parameters: number;
  readonly baseChannels: number;
  /** Why it is this width, where it was chosen. */
  readonly reason: string | null;
  /** What is to be known of the kernels on this GPU; null where nothing is. */
  readonly kernels: string | null;
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly windows: { readonly training: number; readonly validation: number };
  readonly recordings: RunSplit;
  /** By the trainer's formula; what the loss uses. */
  readonly posWeight: number;
  readonly memory: readonly { readonly use: string; readonly bytes: number }[];
  readonly dispatchesPerStep: number;
  readonly flopsPerStep: number;
}

export type Scores = Omit<DetectorScores, 'reference' | 'predicted'>;

/** The norm is that of the gradient before clipping. */
export const METRICS = ['loss', 'gradientNorm'] as const;
export type MetricName = (typeof METRICS)[number];

/** A part of a recording whose probabilities are reported while a run trains. */
export interface Watched {
  /** Index of the recording. */
  readonly recording: number;
  /** Seconds. */
  readonly start: number;
  readonly seconds: number;
  /** Steps between two times. */
  readonly everySteps: number;
}

/** What the detector says of such a part: of the windows of 60 s that cover it. */
export interface Glimpse {
  readonly recording: number;
  /** Seconds from the recording's start to the first value. */
  readonly start: number;
  /** Hz of the probabilities, each the highest of its stretch. */
  readonly rate: number;
  readonly probabilities: Float32Array;
}

export type EegEvent =
  | {
      readonly type: 'planned';
      readonly plan: EegPlan;
      /** Those of the run, the width as a number. */
      readonly settings: EegSettings;
      readonly device: AdapterDescription;
      /** Tells the device apart from others of its name. */
      readonly adapterKey: string;
    }
  | ({ readonly type: 'preparing' } & Preparation)
  | {
      readonly type: 'progress';
      readonly epoch: number;
      readonly metrics: Metrics<MetricName>;
      /** Of training since the run was started or resumed, rests and validation not counted. */
      readonly seconds: number;
      readonly stepsPerSecond: number;
      readonly secondsLeft: number;
    }
  | {
      readonly type: 'validated';
      readonly epoch: number;
      readonly step: number;
      readonly scores: Scores;
      readonly best: boolean;
      readonly results: readonly RecordingResult[];
    }
  /** Of the part that is watched, after so many steps. */
  | ({ readonly type: 'glimpsed'; readonly step: number } & Glimpse)
  /** A step whose gradient overflowed float16 changed nothing; how many did in all, and the loss scale from now on. */
  | {
      readonly type: 'skipped';
      readonly step: number;
      readonly skipped: number;
      readonly lossScale: number;
    }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  | {
      readonly type: 'finished';
      readonly reason: 'completed' | 'stopped' | 'early-stopping' | 'collapse';
      readonly steps: number;
      readonly seconds: number;
      readonly unstored?: string | null;
    }
  /** The state of that step is kept; for how long training waited, and how long it took in all. */
  | {
      readonly type: 'saved';
      readonly slots: readonly Slot[];
      readonly step: number;
      readonly milliseconds: { readonly paused: number; readonly all: number };
      /** What a person should know of it: a sentence. */
      readonly remark: string | null;
    }
  /** It could not be saved; training continues. */
  | { readonly type: 'unsaved'; readonly step: number; readonly message: string }
  /** The run is resumed from a checkpoint of that step; what came after it is trained again. */
  | { readonly type: 'continuing'; readonly step: number }
  /** The GPU was lost: on another device the run is resumed from that step. */
  | {
      readonly type: 'recovering';
      readonly attempt: number;
      readonly attempts: number;
      readonly step: number;
      /** Whether it was lost twice at one place, so that less is asked of it at a time. */
      readonly shortSubmits: boolean;
      /** What is wrong with a newer checkpoint, where one is damaged. */
      readonly damaged: string | null;
    }
  | {
      readonly type: 'failed';
      readonly failure: Failure;
      /** Where memory is what lacks. */
      readonly suggestions: readonly Suggestion[];
      readonly unstored?: string | null;
    };

/** One of the states that the store has of a run. */
export interface CheckpointName {
  readonly slot: Slot;
  readonly number: number;
  readonly step: number;
}

/** A run of the store: to resume it, or to start another from its weights. */
export interface StartFrom {
  readonly run: string;
  readonly weightsOnly: boolean;
  /** The newest where it is left out. */
  readonly checkpoint?: CheckpointName;
}

/** A state whose bytes are not those that were saved. */
export interface DamagedCheckpoint {
  /** Which it is and what is wrong with it: a sentence. */
  readonly damaged: string;
  /** The newest other one that is whole. */
  readonly instead: CheckpointName | null;
}

/** Annotations of a recording that are shown. */
export const MAX_ANNOTATIONS = 5000;

export interface DetectionChoices {
  /** null: the one that was trained. */
  readonly mixer: Mixer | null;
  /** Seconds between the starts of two windows. */
  readonly stride: number;
  readonly interpolation: Interpolation;
  readonly postprocessing: Postprocessing;
}

export interface EegWorker {
  device(): Promise<DeviceReport>;
  /** Takes a part of the files that are opened next; the `first` forgets what was offered before. */
  offer(files: readonly { readonly path: string; readonly data: Blob }[], first: boolean): void;
  /**
   * Inspects the files that were offered, and tells through `port` how many; the folder that was open before is closed.
   * `seizureTexts`: which annotations of EDF+ are seizures. How many recordings there are, and how many were rejected; null where it
   * was stopped, and nothing has changed.
   */
  open(
    port: MessagePort,
    limit?: number,
    seizureTexts?: SeizureTexts,
  ): Promise<{ readonly recordings: number; readonly rejected: number } | null>;
  /** A part of what was opened: of the recordings, and of those that were rejected, from one index to before another. */
  listed(from: number, to: number): Pick<FolderReport, 'recordings' | 'rejected'>;
  /** The same with recordings that are made up. */
  synthesize(seed: number): Promise<FolderReport>;
  /** The synthetic recordings that are open as a zip of EDF and csv_bi files. */
  saveSynthetic(): Promise<Blob>;
  page(recording: number, start: number, seconds: number): Promise<SignalPage>;
  /** What the recording itself holds as annotations of EDF+, the first MAX_ANNOTATIONS; reads the whole file. */
  annotations(recording: number): Promise<readonly EdfAnnotation[]>;
  /** A copy of the recording with events as annotations. */
  annotated(recording: number, events: readonly PredictedEvent[]): Promise<Blob>;
  /** Throws with a sentence where a file does not hold weights of the detector. */
  checkWeights(file: Blob): Promise<void>;
  /**
   * Detects in all recordings; what happens is reported through `port`. `weights`: a file, or the name of a run of the store,
   * whose best weights are taken. `stop` ends it.
   */
  detect(weights: Blob | string, choices: DetectionChoices, port: MessagePort): Promise<void>;
  /** Starts a run, or resumes one: then its own settings count. Does neither where the checkpoint is damaged. */
  start(settings: EegSettings, port: MessagePort, from?: StartFrom): Promise<DamagedCheckpoint | null>;
  /** Which part of which recording a run looks at between its steps, this one and the next ones; null where none. */
  watch(part: Watched | null): void;
  /** The store's name of the run that is under way; undefined where there is none. */
  underWay(): string | undefined;
  /** Keeps the state after the step that is under way. */
  checkpoint(): void;
  /** The newest state of the run that is under way, or was last, as a file to resume from. */
  saveState(): Promise<Blob>;
  /** Stores the end of the last run, which the store did not take. Throws with a sentence where it does not take it again. */
  storeEnd(): Promise<void>;
  /** Ends what a run prepares and can do without. */
  skip(): void;
  pause(): void;
  resume(): void;
  stop(): void;
}
