import { beforeAll, expect, test } from 'vitest';
import { startApp, type App } from './app';
import { fullTest } from '../full';
import { emptiness, MODES, OTHER_MODES, overflow, PAGES, SILENT, violations } from './looks';

let app: App;
beforeAll(async () => {
  app = await startApp();
});

const look = async ([, options]: (typeof MODES)[number]): Promise<void> => {
  const { page, complaints } = await app.open('', options);
  for (const [path, ready] of Object.entries(PAGES)) {
    await page.goto(app.url + path);
    // Simulations take seconds, on a busy machine more.
    await page.getByText(ready).or(page.getByLabel(ready)).first().waitFor({ timeout: 120_000 });
    const tabs = await page.getByRole('tab').allTextContents();
    for (const [i, name] of (tabs.length > 0 ? tabs : ['']).entries()) {
      if (name) await page.getByRole('tab', { name: name.replace(/\d+$/, '') }).click();
      await page.waitForTimeout(400);
      // Around the tabs the page stays as it was.
      const part = i === 0 ? 'html' : '[role=tabpanel]:not([hidden])';
      expect(await violations(page, part), `${path} ${name}`).toEqual([]);
      expect(await overflow(page), `${path} ${name}`).toBe(0);
      expect(await emptiness(page), `${path} ${name}`).toBe(0);
    }
  }
  expect(complaints).toEqual(SILENT);
};
for (const mode of MODES) test(`each page is accessible and fits: ${mode[0]}`, () => look(mode));
for (const mode of OTHER_MODES) fullTest(`each page is accessible and fits: ${mode[0]}`, () => look(mode));
