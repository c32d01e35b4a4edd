/** What keeps a page's main thread busy, as the page sees it and as the browser's trace does. */
import type { CDPSession, Page } from 'playwright-core';

import { loop, LOOP_STEPS } from '../effort';

/** From here on a task counts as long (https://w3c.github.io/longtasks). */
const LONG_MILLISECONDS = 50;

export interface MainThread {
  /** Long tasks that the page's own PerformanceObserver saw. */
  readonly observed: number;
  /** Tasks that were long for the clock, though the thread ran less than half of that time. */
  readonly waited: number;
  /** The longest that any task really ran, in long tasks: 1 is 50 ms on the machine of tests/effort.ts. */
  readonly longest: number;
}

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
 * Watches the main thread while `work` goes on. On a machine whose cores are taken by a software GPU, tasks also wait
 * for a core: such a task is long for the clock, though the page did little. The trace tells the two apart, and a loop of
 * known size, run in the page and traced alike, tells a slow machine from a slow page.
 */
export async function watchMainThread(page: Page, work: () => Promise<void>): Promise<MainThread> {
  const { observed, tasks } = await traced(page, work);
  const loopInPage = `(${loop.toString()})(${LOOP_STEPS})`;
  const unit = await traced(page, async () => void (await page.evaluate(loopInPage)));
  const longest = (of: readonly Task[]): number => Math.max(0, ...of.map(({ working }) => working));
  const long = tasks.filter(({ wall }) => wall > LONG_MILLISECONDS);
  return {
    observed,
    waited: long.filter(({ working }) => working < LONG_MILLISECONDS / 2).length,
    longest: longest(tasks) / longest(unit.tasks),
  };
}

/** How long a task took and how much of that the thread really ran, in milliseconds. */
interface Task {
  readonly wall: number;
  readonly working: number;
}

async function traced(
  page: Page,
  work: () => Promise<void>,
): Promise<{ observed: number; tasks: readonly Task[] }> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', '__metadata'] },
  });
  await observe(page);
  await work();
  const observed = await page.evaluate(() => globalThis.longTasks?.length ?? 0);
  await endOfTrace(session);
  await session.detach();
  return { observed, tasks: mainThreadTasks(events) };
}

declare global {
  var longTasks: number[] | undefined;
}

const observe = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const seen: number[] = (globalThis.longTasks = []);
    new PerformanceObserver((list) =>
      seen.push(...list.getEntries().map(({ duration }) => duration)),
    ).observe({ type: 'longtask' });
  });

async function endOfTrace(session: CDPSession): Promise<void> {
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
}

/** The tasks of the page's renderer: the one among all renderers that ran longest. */
function mainThreadTasks(events: readonly TraceEvent[]): Task[] {
  const threads = events
    .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
    .map(({ pid, tid }) =>
      events.filter(
        (event) =>
          event.pid === pid && event.tid === tid && event.ph === 'X' && event.name.endsWith('RunTask'),
      ),
    );
  const tasks = threads.map((thread) =>
    thread.map(({ dur = 0, tdur = dur }) => ({ wall: dur / 1000, working: tdur / 1000 })),
  );
  const total = (of: readonly Task[]): number => of.reduce((sum, { working }) => sum + working, 0);
  return tasks.sort((a, b) => total(b) - total(a))[0] ?? [];
}
