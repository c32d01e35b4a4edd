/** What keeps a page's main thread busy, from the browser's trace. */
import type { CDPSession, Page } from 'playwright-core';
import { loop, LOOP_STEPS } from '../effort';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly dur?: number;
  /** Of the thread's own time. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * The longest that a task of the page's main thread really ran while `work` went on; 1 is a long task, 50 ms on the machine of
 * tests/effort.ts (https://w3c.github.io/longtasks). On a machine whose cores are taken by a software GPU, tasks also wait for
 * a core: such a task is long for the clock, and for the page's own PerformanceObserver, though the page did little. The
 * trace tells the two apart, and a loop of known size, run in the page and traced alike, tells a slow machine from a slow page.
 */
export async function longestTask(page: Page, work: () => Promise<unknown>): Promise<number> {
  const tasks = await traced(page, work);
  const loopInPage = `(${loop.toString()})(${LOOP_STEPS})`;
  const unit = await traced(page, () => page.evaluate(loopInPage));
  return Math.max(...tasks) / Math.max(...unit);
}

/** Milliseconds that each task of the main thread ran during `work`. */
async function traced(page: Page, work: () => Promise<unknown>): Promise<readonly number[]> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', '__metadata'] },
  });
  await work();
  // The page answers from within a task, and a trace does not have those that have not ended.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
  await endOfTrace(session);
  await session.detach();
  const tasks = mainThreadTasks(events);
  if (tasks.length === 0) throw new Error('The trace shows no task of the main thread.');
  return tasks;
}

async function endOfTrace(session: CDPSession): Promise<void> {
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
}

/** Of the page's renderer: the one among all renderers that ran longest. */
function mainThreadTasks(events: readonly TraceEvent[]): readonly number[] {
  const threads = events
    .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
    .map(({ pid, tid }) =>
      events
        .filter(
          (event) =>
            event.pid === pid && event.tid === tid && event.ph === 'X' && event.name.endsWith('RunTask'),
        )
        .map(({ dur = 0, tdur = dur }) => tdur / 1000),
    );
  const total = (of: readonly number[]): number => of.reduce((sum, working) => sum + working, 0);
  return threads.sort((a, b) => total(b) - total(a))[0] ?? [];
}
