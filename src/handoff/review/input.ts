/** What a review is made of. */
import type { Check, Incident, Risk, Statement } from '../../config/incidents';
import type { CostFigures, SmokeEvidence } from '../evidence';
import type { Compared } from '../matrix';

export interface ReviewInput {
  readonly title?: string;
  /** Of the document, as “2026-11-25”. */
  readonly date: string;
  readonly preparedBy?: string;
  /** What the configurations are for, in a sentence. */
  readonly goal?: string;
  /** What ran before, or what the others were made from. */
  readonly before: Compared;
  /** What is to be signed. */
  readonly after: readonly Compared[];
  /** Shown in the matrix besides. */
  readonly others?: readonly Compared[];
  readonly incident?: Incident;
  readonly costs?: readonly CostFigures[];
  readonly smoke?: readonly SmokeEvidence[];
  /** Sentences about the data, each with its source. */
  readonly data?: readonly string[];
  /** What an earlier review said, and what is known now. */
  readonly statements?: readonly Statement[];
  /** Risks that no rule finds. */
  readonly risks?: readonly Risk[];
  readonly checks?: readonly Check[];
  /** Why a setting was changed, by path; what a derived variant or a rule says comes first. */
  readonly reasons?: Readonly<Record<string, string>>;
}
