/** Questions to the page's workers. Answers that come in parts are shown as they come, and end where nobody waits for more. */
import type { RowWithRam, ScenarioRow } from '../../../estimate/scenario_table';
import type { Answer } from '../../ui/answer';
import { Link } from '../../ui/link';
import { QUESTION_NAMES, type QuestionName } from './inverse';
import type { Predictions } from './worker';

/** A worker of the page's own, as it is called in the browser's tools. */
export const linkTo = (name: string): Link<Predictions> =>
  new Link(() => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name }));

type Show<T> = (value: T) => boolean;
type Asked<T> = Promise<Answer<T> | undefined>;

/** The answer after `of` steps. */
export async function steps<T>(of: number, show: Show<T>, step: (done: number) => Asked<T>): Asked<T> {
  for (let done = 1; ; done++) {
    const answer = await step(done);
    if (!answer || 'problem' in answer || done === of) return answer;
    if (!show(answer.value)) return undefined;
  }
}

export type LimitAnswers = Partial<Record<QuestionName, string>>;

/** All questions about limits, one after the other. */
export async function limitAnswers(
  show: Show<LimitAnswers>,
  ask: (name: QuestionName) => Asked<string>,
): Asked<LimitAnswers> {
  let all: LimitAnswers = {};
  for (const name of QUESTION_NAMES) {
    if (!show(all)) return undefined;
    const given = await ask(name);
    if (!given) return undefined;
    all = { ...all, [name]: 'value' in given ? given.value : given.problem };
  }
  return { value: all };
}

export type Row = ScenarioRow | RowWithRam;

/** Machines, whose system RAM is simulated one after the other. */
export async function machineRows(
  show: Show<readonly Row[]>,
  rows: Answer<readonly ScenarioRow[]> | undefined,
  simulate: (row: ScenarioRow) => Asked<RowWithRam>,
): Asked<readonly Row[]> {
  if (!rows || 'problem' in rows) return rows;
  let all: readonly Row[] = rows.value;
  for (const [at, row] of rows.value.entries()) {
    if (!show(all)) return undefined;
    const simulated = await simulate(row);
    if (!simulated || 'problem' in simulated) return simulated;
    all = all.with(at, simulated.value);
  }
  return { value: all };
}
