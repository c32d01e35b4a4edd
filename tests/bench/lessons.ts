/** How long a learner waits in each lesson: every step is guessed at once, and its answer waited for. */
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { LESSONS } from '../../src/lessons/lessons';
import { build, serve } from '../built';
import { launchChromium } from '../chromium';

const WANTED_S = 60;
const LIMIT_MS = 600_000;

/**
 * Command `bench:lessons [NAME …] [--no-webgpu]`: of the lessons with these names, or of all, the seconds from each guess to its
 * answer. Returns 1 when one took more than 60 s, or when a page complained.
 */
export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    options: { 'no-webgpu': { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  build();
  const server = await serve();
  const browser = await launchChromium({ webgpu: !values['no-webgpu'] });
  const complaints: string[] = [];
  let slow = 0;
  try {
    for (const { name } of LESSONS) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      const context = await browser.newContext();
      context.setDefaultTimeout(LIMIT_MS);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(`${name}: ${error.message}`));
      const times = await waits(page, `${server.url}#/learn/${name}`);
      slow += times.filter((seconds) => seconds > WANTED_S).length;
      console.log(`${name.padEnd(16)} ${times.map((seconds) => seconds.toFixed(1).padStart(6)).join('')}`);
      await context.close();
    }
    for (const complaint of complaints) console.error(complaint);
    return slow === 0 && complaints.length === 0 ? 0 : 1;
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Seconds from the guess to the answer of each step, the transfer question aside. */
async function waits(page: Page, address: string): Promise<number[]> {
  await page.goto(`${address}/1`);
  await page.getByTestId('reveal').or(page.locator('form')).first().waitFor();
  const steps = (await page.locator('[data-testid="lesson"] nav ol li').count()) - 1;
  const seconds: number[] = [];
  for (let step = 1; step <= steps; step++) {
    await page.goto(`${address}/${step}`);
    await page.getByText(`Step ${step} of`).waitFor();
    const fields = page.locator('form input[type="number"]');
    for (const field of await fields.all()) await field.fill('1');
    if ((await fields.count()) === 0) await page.locator('form .option input').first().check();
    await page.locator('form button[type="submit"]').click();
    const started = performance.now();
    await page.getByTestId('reveal').waitFor();
    seconds.push((performance.now() - started) / 1000);
  }
  return seconds;
}
