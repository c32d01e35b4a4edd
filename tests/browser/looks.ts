/** What every page is held to: silence, accessibility, no scrolling into emptiness. */
import axe, { type AxeResults, type RunOptions } from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';

export const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
export const WIDE = { viewport: { width: 1440, height: 900 } };
/** For tests of what does not move; to draw what does costs a software renderer most of a core. */
export const STILL = { ...WIDE, reducedMotion: 'reduce' } as const;

/** How every page is looked at: small, where the least fits, and in full runs each size in each scheme of colours. */
export const MODES: readonly [string, BrowserContextOptions][] = [
  ['phone, dark', { ...PHONE, colorScheme: 'dark' }],
];
export const OTHER_MODES: typeof MODES = [
  ['wide, light', { ...WIDE, colorScheme: 'light' }],
  ['wide, dark', { ...WIDE, colorScheme: 'dark' }],
  ['phone, light', { ...PHONE, colorScheme: 'light' }],
];

/** Pages by their addresses, and what they show when they are ready; the lesson's tests look at it themselves. */
export const PAGES = {
  '#/demo': 'Watch a Mamba choose',
  '#/train': 'Ready to train',
  '#/detect': 'Choose weights',
  '#/config': 'Show issues by severity',
  '#/resources': 'One training step',
  '#/runs': 'No runs yet',
  '#/nowhere': 'Page not found',
} as const;

export const SILENT = { console: [], page: [], foreign: [] };

declare global {
  var axe: { run(within: string, options: RunOptions): Promise<AxeResults> };
}

/** What is collected of passed rules and of the elements that they looked at takes most of the time. */
const OPTIONS: RunOptions = { resultTypes: ['violations'], preload: false };

/** What axe finds in the page, or in a part of it, that is serious or critical: rule and elements. */
export async function violations(page: Page, within = 'html'): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  const found = await page.evaluate(
    async ([part, options]) => (await globalThis.axe.run(part, options)).violations,
    [within, OPTIONS] as const,
  );
  return found
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
