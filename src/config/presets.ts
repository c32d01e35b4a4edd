/** The configurations that come along: corrected ones to start from, and those of incidents to learn from. */
import { MODAL, SMOKE_FILES } from './facts';
import { CONFIG_TEXTS, INCIDENTS, type Incident } from './incidents';
import type { TargetName } from './targets';

export interface Preset {
  /** Its path, which the launcher reads meaning into. */
  readonly name: string;
  readonly title: string;
  /** One or two words, as in a comparison table. */
  readonly purpose: string;
  /** What it is, in a sentence. */
  readonly description: string;
  readonly target: TargetName;
  /** Corrected, or as it was. */
  readonly corrected: boolean;
  readonly text: string;
}

export const CORRECTED: readonly Preset[] = (
  [
    {
      name: 'configs/local/smoke.yaml',
      title: 'Local smoke',
      purpose: 'Quick test',
      description: 'One epoch on a few files, to see that everything runs.',
      target: 'local',
    },
    {
      name: 'configs/local/train.yaml',
      title: 'Local training',
      purpose: 'Local safe',
      description: 'The whole corpus on a machine of one’s own, safe under WSL2.',
      target: 'wsl2',
    },
    {
      name: 'configs/modal/smoke_a100.yaml',
      title: 'Modal smoke',
      purpose: 'Quick test',
      description: `One epoch on ${SMOKE_FILES.modal} files on an A100.`,
      target: 'modal',
    },
    {
      name: 'configs/modal/train_a100.yaml',
      title: 'Modal training',
      purpose: 'Cloud optimized',
      description: `The whole corpus on an A100, in as many jobs of ${MODAL.jobHours} hours as it takes.`,
      target: 'modal',
    },
  ] as const
).map((one) => ({ ...one, corrected: true, text: CONFIG_TEXTS[one.name] ?? '' }));

const formerOf = ({ files }: Pick<Incident, 'files'>): readonly Preset[] =>
  files.map((file) => ({ ...file, corrected: false }));

export const PRESETS: readonly Preset[] = [...CORRECTED, ...INCIDENTS.flatMap(formerOf)];

/** What a first visit sees: the file whose run was killed. */
export const EXAMPLE: Preset = presetOf(INCIDENTS[0], INCIDENTS[0].config);

/**
 * A configuration that an incident names: one of its own files, or a corrected one. Throws RangeError where it is neither.
 */
export function presetOf(incident: Pick<Incident, 'id' | 'files'>, name: string): Preset {
  const preset = [...formerOf(incident), ...CORRECTED].find((one) => one.name === name);
  if (!preset) throw new RangeError(`The incident ${incident.id} names ${name}, which is not there.`);
  return preset;
}
