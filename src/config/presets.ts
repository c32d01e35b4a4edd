/** The configurations that come along: corrected ones to start from, and those of the review to learn from. */
import localSmoke from '../../configs/local/smoke.yaml?raw';
import localTrain from '../../configs/local/train.yaml?raw';
import modalSmoke from '../../configs/modal/smoke_a100.yaml?raw';
import modalTrain from '../../configs/modal/train_a100.yaml?raw';
import reviewLocal from '../../configs/review/local_train.yaml?raw';
import reviewModal from '../../configs/review/modal_train_a100.yaml?raw';
import production from '../../configs/review/production.yaml?raw';
import tuszTrain from '../../configs/review/tusz_train.yaml?raw';
import type { TargetName } from './targets';

export interface Preset {
  /** Its path, which the launcher reads meaning into. */
  readonly name: string;
  readonly title: string;
  /** One or two words, as in the review's comparison table. */
  readonly purpose: string;
  /** What it is, in a sentence. */
  readonly description: string;
  readonly target: TargetName;
  /** Corrected, or as it was. */
  readonly corrected: boolean;
  readonly text: string;
}

export const PRESETS: readonly Preset[] = [
  {
    name: 'configs/local/smoke.yaml',
    title: 'Local smoke',
    purpose: 'Quick test',
    description: 'One epoch on a few files, to see that everything runs.',
    target: 'local',
    corrected: true,
    text: localSmoke,
  },
  {
    name: 'configs/local/train.yaml',
    title: 'Local training',
    purpose: 'Local safe',
    description: 'The whole corpus on a machine of one’s own, safe under WSL2.',
    target: 'wsl2',
    corrected: true,
    text: localTrain,
  },
  {
    name: 'configs/modal/smoke_a100.yaml',
    title: 'Modal smoke',
    purpose: 'Quick test',
    description: 'One epoch on 50 files on an A100.',
    target: 'modal',
    corrected: true,
    text: modalSmoke,
  },
  {
    name: 'configs/modal/train_a100.yaml',
    title: 'Modal training',
    purpose: 'Cloud optimized',
    description: 'The whole corpus on an A100, in as many launches of 24 hours as it takes.',
    target: 'modal',
    corrected: true,
    text: modalTrain,
  },
  {
    name: 'configs/review/tusz_train.yaml',
    title: 'Original',
    purpose: 'Original',
    description: 'The file whose run was killed after 127 batches under WSL2, as it was.',
    target: 'wsl2',
    corrected: false,
    text: tuszTrain,
  },
  {
    name: 'configs/review/local_train.yaml',
    title: 'Local training of the review',
    purpose: 'Local safe',
    description: 'What the review made of the original for WSL2, as it was.',
    target: 'wsl2',
    corrected: false,
    text: reviewLocal,
  },
  {
    name: 'configs/review/modal_train_a100.yaml',
    title: 'Modal training of the review',
    purpose: 'Cloud optimized',
    description: 'What the review made of the original for an A100, as it was.',
    target: 'modal',
    corrected: false,
    text: reviewModal,
  },
  {
    name: 'configs/review/production.yaml',
    title: 'Legacy production',
    purpose: 'Legacy',
    description: 'The oldest of the files for large machines, as it was.',
    target: 'local',
    corrected: false,
    text: production,
  },
];
