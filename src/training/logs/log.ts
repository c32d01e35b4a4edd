/**
 * What a run logs, by the tags that the trainer gives its SummaryWriter (src/brain_brr/train/loop.py at 8e81553): a mean loss and
 * scores once an epoch, whose step is the epoch counted from 0. This engine logs the loss of each step beside them.
 */
import { pythonFloat, sensitivityAt } from '../../config/scores';
import type { RecordedValidation, RunSummary } from '../run_record';

/** A value at a step. */
export interface Point {
  readonly step: number;
  readonly value: number;
}

/** Points by tag, their steps rising. */
export type Log = ReadonlyMap<string, readonly Point[]>;

/** Of each optimizer step, counted from 1; all other tags count epochs. */
export const STEP_LOSS = 'Loss/step';
/** The mean of an epoch's steps. */
const TRAIN_LOSS = 'Loss/train';

/** One optimizer step: its loss, and at the end of an epoch what is known of that. */
export interface Row {
  /** From 1. */
  readonly step: number;
  /** From 0, as the trainer counts; left out of steps that end none. */
  readonly epoch?: number;
  /** By tag. */
  readonly values: Readonly<Record<string, number>>;
}

type Validation = Pick<RecordedValidation, 'epoch' | 'step' | 'scores'>;

/** Collects rows in the order of steps. */
export class Rows {
  #rows: Row[];

  constructor(rows: readonly Row[] = []) {
    this.#rows = [...rows];
  }

  get all(): readonly Row[] {
    return this.#rows;
  }

  /** A loss that is not known is left out. */
  add(step: number, loss: number): void {
    this.#rows.push({ step, values: Number.isFinite(loss) ? { [STEP_LOSS]: loss } : {} });
  }

  /** Writes an epoch's scores beside its last step. */
  validated({ epoch, step, scores }: Validation): void {
    const at = this.#rows.findLastIndex((row) => row.step === step);
    const row = this.#rows[at];
    if (!row) return;
    const from = this.#rows.findLastIndex((one, i) => i < at && one.epoch !== undefined) + 1;
    const losses = this.#rows.slice(from, at + 1).map(({ values }) => values[STEP_LOSS] ?? NaN);
    const values: Record<string, number | undefined> = {
      ...row.values,
      [TRAIN_LOSS]: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      'Metrics/TAES': scores.taes,
      'Metrics/AUROC': scores.auroc,
    };
    for (const { falseAlarmRate, sensitivity } of scores.operatingPoints)
      values[`Metrics/${sensitivityAt(pythonFloat(falseAlarmRate))}`] = sensitivity;
    const known = Object.entries(values).filter(
      (entry): entry is [string, number] => entry[1] !== undefined && Number.isFinite(entry[1]),
    );
    this.#rows[at] = { step, epoch: epoch - 1, values: Object.fromEntries(known) };
  }

  /** Forgets what was after a step. */
  backTo(step: number): void {
    this.#rows = this.#rows.filter((row) => row.step <= step);
  }
}

/** The rows of a run that is kept. */
export function rowsOf({ losses, validations }: Pick<RunSummary, 'losses' | 'validations'>): readonly Row[] {
  const rows = new Rows();
  losses.forEach((loss, i) => rows.add(i + 1, loss));
  for (const one of validations) rows.validated(one);
  return rows.all;
}

/** All tags of rows, the loss of steps first. */
export const tagsOf = (rows: readonly Row[]): string[] => [
  ...new Set(rows.flatMap(({ values }) => Object.keys(values))),
];

/** The same by tag. */
export function logOf(rows: readonly Row[]): Log {
  const log = new Map<string, Point[]>();
  for (const { step, epoch, values } of rows)
    for (const [tag, value] of Object.entries(values)) {
      const points = log.get(tag) ?? [];
      log.set(tag, points);
      points.push({ step: tag === STEP_LOSS ? step : (epoch ?? step), value });
    }
  return log;
}
