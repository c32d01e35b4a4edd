/** All that Smokescan can find in a configuration, as a catalogue for people and for other tools. */
import { COMMENT } from './ignores';
import { NOT_OURS, PYDANTIC, YAML } from './issues';
import { COLLISION, RULES } from './rules';
import { GUIDE, type Situation } from './rules/guide';
import type { Severity } from './rules/rule';
import type { TargetName } from './targets';

export interface RuleEntry {
  readonly id: string;
  /** What is wrong, in a few words; without a full stop. */
  readonly title: string;
  /** The worst that it finds. */
  readonly severity: Severity;
  readonly evidence: string;
  /** Whether no edit of the file fixes it: a note for the launch. */
  readonly note: boolean;
  /** Where it applies; everywhere without. */
  readonly targets?: readonly TargetName[];
  /** A file that it finds something in, and one that it does not; left out where no single file shows it. */
  readonly examples?: { readonly bad: Situation; readonly good: Situation };
}

const file = (...lines: string[]): Situation => ({ lines });

const REJECTIONS: readonly RuleEntry[] = [
  {
    id: 'yaml',
    title: 'A file that PyYAML cannot read',
    evidence: YAML,
    examples: { bad: file(' evaluation: {}'), good: file('evaluation: {}') },
  },
  {
    id: 'validation-error',
    title: 'A value that the trainer rejects',
    evidence: PYDANTIC,
    examples: { bad: file('training.epochs: 300'), good: file('training.epochs: 200') },
  },
  {
    id: NOT_OURS,
    title: 'A file that is no configuration of the trainer',
    evidence: PYDANTIC,
  },
].map((one) => ({ ...one, severity: 'invalid', note: false }));

/** Rejections first, then the rules in their order. */
export const RULE_LIST: readonly RuleEntry[] = [
  ...REJECTIONS,
  ...RULES.map(({ id, severity, evidence, note = false, targets }): RuleEntry => {
    const { title = id, ...examples } = GUIDE[id] ?? {};
    return {
      id,
      title,
      severity,
      evidence,
      note,
      ...(targets && { targets }),
      ...('bad' in examples && { examples }),
    };
  }),
  { ...COLLISION, title: 'Two files that write to one folder on Modal', note: false, targets: ['modal'] },
  {
    ...COMMENT,
    title: 'A comment that silences nothing, or does not say why',
    note: false,
    examples: {
      bad: file('# smokescan: ignore dead-keys – we like it'),
      good: file('preprocessing.notch_freq: 50', '# smokescan: ignore-file dead-key – mains are 50 Hz here'),
    },
  },
];

const TITLES = new Map(RULE_LIST.map(({ id, title }) => [id, title]));

/** What is wrong, in a few words, by the id of an issue. */
export const titleOf = (id: string): string => TITLES.get(id) ?? id;
