/** What every page is held to: silence, accessibility, no scrolling into emptiness. */
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

export const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
export const WIDE = { viewport: { width: 1440, height: 900 } };
export const SILENT = { console: [], page: [], foreign: [] };

declare global {
  var axe: { run(): Promise<AxeResults> };
}

/** What axe finds that is serious or critical: rule and elements. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** Pixels by which the page is wider than the screen. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - screen.width);

/** Whole pixels that the page can be scrolled down by beyond the end of what it shows. */
export const emptiness = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const { scrollHeight, clientHeight } = document.documentElement;
    const end = document.body.getBoundingClientRect().bottom + scrollY;
    return Math.max(0, Math.floor(scrollHeight - Math.max(clientHeight, end)));
  });
