/** How long the opening page of the built app takes to paint and to move, each time in a profile that has nothing of it. */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { build, serve } from '../built';
import { launchChromium } from '../chromium';
import { median } from './harness/report';

const PAINT_MS = 300;
const MOVING_MS = 1_000;

declare global {
  /** Milliseconds from the navigation until a step after the first was shown. */
  var moving: Promise<number>;
}

/**
 * Command `bench:opening [COUNT]`: first contentful paint, and when the recorded run moves, of so many visits (9); their medians.
 * Returns 1 where one is over its limit, 300 ms or a second.
 */
export async function main(args: string[]): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true });
  const count = Number(positionals[0] ?? 9);
  if (!Number.isInteger(count) || count < 1) throw new Error(`${positionals[0]} is no count of visits.`);
  build();
  const server = await serve();
  const browser = await launchChromium();
  const visits: Visit[] = [];
  try {
    for (let i = 0; i <= count; i++) {
      const seen = await visit(browser, server.url);
      // The first visit starts processes of the browser, which are there when a person opens a page.
      if (i > 0) visits.push(seen);
      console.log(
        `${i === 0 ? 'first ' : ''}paint ${seen.paint.toFixed(0)} ms, moving ${seen.moving.toFixed(0)} ms`,
      );
    }
  } finally {
    await browser.close();
    await server.close();
  }
  const load = loadavg()[0]?.toFixed(1);
  const [paint, moving] = [median(visits.map((one) => one.paint)), median(visits.map((one) => one.moving))];
  console.log(
    `median of ${count}: paint ${paint.toFixed(0)} ms, moving ${moving.toFixed(0)} ms; load of the machine ${load}`,
  );
  return paint <= PAINT_MS && moving <= MOVING_MS ? 0 : 1;
}

/** Milliseconds from the navigation. */
interface Visit {
  readonly paint: number;
  readonly moving: number;
}

async function visit(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    globalThis.moving = new Promise((resolve) => {
      const look = (): void => {
        if (/^Step [1-9]/.test(document.querySelector('[data-testid="step"]')?.textContent ?? ''))
          resolve(performance.now());
        else requestAnimationFrame(look);
      };
      look();
    });
  });
  await page.goto(url);
  const moving = await page.evaluate(() => globalThis.moving);
  const paint = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity,
  );
  await context.close();
  return { paint, moving };
}
