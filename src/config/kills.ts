/** What the incidents show, in the words and numbers that other places quote. */
import { INCIDENTS, type Incident } from './incidents';
import { presetOf } from './presets';
import { readConfig } from './settings';

type Ran = Pick<Incident, 'id' | 'files' | 'config'>;

/** What the configuration that ran says of its loader; NaN where a number is missing. */
export function loaderOf(incident: Ran): { readonly batchSize: number; readonly workers: number } {
  const { settings } = readConfig(presetOf(incident, incident.config).text);
  return { batchSize: settings.number('training.batch_size'), workers: settings.number('data.num_workers') };
}

/** Whether the log names a worker of the loader. */
export const killedWorker = ({ killed }: Pick<Incident, 'killed'>): boolean => /worker/i.test(killed.process);

/** The kills on such machines, each as a clause with its source. */
export const killsOn = (place: Incident['machine']['place']): readonly string[] =>
  INCIDENTS.filter(({ machine }) => machine.place === place).map((incident) => {
    const { machine, killed, source } = incident;
    const { batchSize, workers } = loaderOf(incident);
    const victim = killedWorker(incident) ? 'a worker' : 'the main process';
    return `with batch_size ${batchSize} and num_workers ${workers} ${victim} was OOM-killed after ${killed.afterBatches} batches on ${machine.description} (${source})`;
  });

/** What a review expects early stopping to save of a run. */
export interface ExpectedStop {
  /** Dollars of all epochs, and of those until it stops. */
  readonly whole: number;
  readonly low: number;
  readonly high: number;
  /** Which document expects it. */
  readonly source: string;
}

/** By the first review that expects one; undefined where none does. */
export const EXPECTED_STOP: ExpectedStop | undefined = INCIDENTS.flatMap(({ review, source }) =>
  review.costs.flatMap(({ epochs, hoursPerEpoch, dollarsPerHour, stoppedEarly }) =>
    stoppedEarly
      ? {
          whole: epochs * hoursPerEpoch.likely * dollarsPerHour.likely,
          low: stoppedEarly.low,
          high: stoppedEarly.high,
          source,
        }
      : [],
  ),
)[0];
