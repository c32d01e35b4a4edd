/** How many clicks a person needs for what a test does. */
import type { Page } from 'playwright-core';

/** Counts from now on, until the page is loaded anew: a choice from a list is two clicks, what is dropped is none. */
export async function countClicks(page: Page): Promise<() => Promise<number>> {
  const count = await page.evaluateHandle(() => {
    const counted = { clicks: 0 };
    addEventListener('pointerdown', () => counted.clicks++, true);
    const choose = ({ target }: Event): void => {
      if (target instanceof HTMLSelectElement) counted.clicks += 2;
    };
    addEventListener('change', choose, true);
    return counted;
  });
  return () => count.evaluate(({ clicks }) => clicks);
}
