/** A job that does not stop when it is told to. */
import { runStoppable } from '../../../src/cli/stoppable';

export const main = (): Promise<void> =>
  runStoppable({
    run: () => {
      console.log('running');
      return new Promise(() => setInterval(() => undefined, 1000));
    },
    stop: () => console.log('told to stop'),
  });
