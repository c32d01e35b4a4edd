/** Sentences of the page that depend on the run. */
import { preparationText } from '../../run/protocol';
import { dynamics, findPreset, findTask } from '../loop/catalogue';
import type { RunSettings } from '../loop/protocol';
import { count, duration, percent } from '../../app/ui/format';
import type { LessonRun, Outcome } from './run.svelte';

export const describeDynamics = ({ dynamics: chosen }: RunSettings): string =>
  dynamics.find(({ name }) => name === chosen)?.label ?? chosen;

/** Selective copying · Quick · Selective · seed 1 */
export const describeSettings = (settings: RunSettings): string =>
  [
    findTask(settings).name,
    findPreset(settings).label,
    describeDynamics(settings),
    `seed ${settings.seed}`,
  ].join(' · ');

const steps = (n: number): string => (n === 1 ? '1 step' : `${count(n)} steps`);

const outcomes: Record<Outcome['reason'], string> = {
  solved: 'Solved',
  completed: 'Completed',
  stopped: 'Stopped',
};

/** What the run is doing, in a few words. */
export function describePhase(run: LessonRun): string {
  const { phase, asked, preparation, outcome } = run;
  if (asked === 'stop' || asked === 'restart') return 'Stopping after this step';
  switch (phase) {
    case 'idle':
      return 'Ready to train';
    case 'preparing': {
      return preparation ? preparationText(preparation) : 'Waiting for the first step';
    }
    case 'running':
      return asked === 'pause' ? 'Pausing after this step' : 'Training';
    case 'paused':
      return asked === 'resume' ? 'Resuming' : 'Paused';
    case 'finished':
      return outcome
        ? `${outcomes[outcome.reason]} after ${steps(outcome.steps)}, ${duration(outcome.seconds)}`
        : '';
    case 'failed':
      return 'Training failed';
  }
}

/** The same for screen readers, with what the charts show. */
export function describeProgress(run: LessonRun): string {
  const accuracy = run.series.accuracy.at(run.stepsDone - 1);
  const phase = describePhase(run);
  if (!run.plan || run.stepsDone === 0) return phase;
  const where = `step ${count(run.stepsDone)} of ${count(run.plan.steps)}`;
  return `${phase}: ${where}, accuracy ${percent(accuracy)}`;
}

/** What an error left as it was. */
export function describeKept(run: LessonRun): string {
  const kept =
    run.stepsDone > 0
      ? `The curves of ${steps(run.stepsDone)} and the last predictions stay on this page until the next run. ` +
        'The weights are lost. '
      : 'No step was trained yet. ';
  return `${kept}Your settings are kept.`;
}
