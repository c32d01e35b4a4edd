/** Reads, checks and changes texts away from the page's thread: a hostile one may take seconds. */
import { expose } from 'comlink';
import { bundleOf, type BundledConfig, type BundleFile } from '../../../handoff/bundle';
import type { Change } from '../../../config/change';
import { commandsFor, scriptFor, type LaunchConfig } from '../../../handoff/commands';
import type { Command } from '../../../handoff/commands/steps';
import { derive, VARIANTS, variantText, type Variant } from '../../../handoff/derive';
import {
  compare,
  toCsv,
  toMarkdown,
  type Compared,
  type Matrix,
  type MatrixOptions,
} from '../../../handoff/matrix';
import { reviewDocument } from '../../../handoff/review';
import { RULE_LIST } from '../../../config/rule_list';
import { rulePage } from '../../../handoff/rule_pages';
import type { Target } from '../../../config/targets';
import { edits, fixed, type Edits } from '../../../config/fixing';
import { inspectRuns } from '../../../estimate/forecast';
import { answer, type Answer } from '../../ui/answer';
import { forAllReaders } from './exporting';
import { inspect, type Question } from './inspection';
import { reviewInput, type ReviewRequest } from './reviewing';

export interface Comparison {
  readonly matrix: Matrix;
  readonly markdown: string;
  readonly csv: string;
}

export type Variants = typeof VARIANTS;

export interface Variation {
  readonly title: string;
  /** Path that the file should have. */
  readonly name: string;
  readonly target: Target;
  readonly changes: readonly Change[];
  readonly text: string;
}

export interface Launch {
  readonly commands: readonly Command[];
  readonly script: string;
}

const inspector = {
  inspect,
  edits,
  /** Edits that fix one of the files that belong together. */
  fixed: (questions: readonly Question[], at: number): Edits =>
    fixed(questions[at]?.text ?? '', (made) => {
      const asked = questions.map(({ text, ...subject }, i) => ({ text: i === at ? made : text, subject }));
      return inspectRuns(asked)[at]?.issues ?? [];
    }),
  compare: (configs: readonly Compared[], options: MatrixOptions): Answer<Comparison> =>
    answer(() => {
      const matrix = compare(configs, options);
      return { matrix, markdown: toMarkdown(matrix), csv: toCsv(matrix) };
    }),
  variants: () => VARIANTS,
  derive: (text: string, variant: Variant, target: Target): Answer<Variation> =>
    answer(() => {
      const derived = derive(text, variant, target);
      return { ...derived, title: VARIANTS[variant].title, text: variantText(text, derived) };
    }),
  launch: (config: LaunchConfig): Answer<Launch> =>
    answer(() => ({ commands: commandsFor(config), script: scriptFor(config) })),
  review: (request: ReviewRequest): Answer<string> => answer(() => reviewDocument(reviewInput(request))),
  bundle: (configs: readonly BundledConfig[], review?: string): Answer<BundleFile[]> =>
    answer(() => bundleOf(configs, review)),
  forAllReaders,
  /** The page about the rule of an issue, as Markdown. */
  rule: (id: string): string | undefined => RULE_LIST.filter((rule) => rule.id === id).map(rulePage)[0],
};
export type Inspector = typeof inspector;

expose(inspector);
