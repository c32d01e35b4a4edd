/** A job that does not stop when it is told to, on a thread that is busy for seconds. */
import { mkdirSync } from 'node:fs';
import { leftover, stoppable } from '../../../src/cli/signals';

export const main = ([folder = '']: readonly string[]): Promise<number> =>
  stoppable(async (signals) => {
    mkdirSync(folder);
    leftover(folder);
    await signals.run({
      run: () => {
        console.log('running');
        return new Promise(() =>
          setTimeout(() => {
            const end = performance.now() + 5000;
            while (performance.now() < end);
          }, 100),
        );
      },
      stop: () => console.log('told to stop'),
    });
    return 0;
  });
