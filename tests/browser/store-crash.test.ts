/** States of several shards, as those of small runs in faults/ are not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../src/base/random';
import { FULL } from '../full';
import { startKillable, startSite, type Site } from './store/browser';

const KILLS = FULL ? 10 : 2;
const MEGABYTES = 40;
/** A save takes a few tenths of a second, so kills fall into every part of one. */
const LONGEST_MS = 2500;

let profile: string;
let site: Site;
beforeAll(async () => {
  profile = mkdtempSync(join(tmpdir(), 'smokescan-crash-'));
  site = await startSite();
});
afterAll(async () => {
  await site.close();
  rmSync(profile, { recursive: true, maxRetries: 10 });
});

test(
  `killed ${KILLS} times while it saves back to back, last is always whole`,
  { timeout: 600_000 + KILLS * 60_000 },
  async () => {
    const random = new Random(KILLS);
    let announced = 0;
    let saved = 0;
    for (let kill = 0; kill <= KILLS; kill++) {
      const browser = await startKillable(profile, site.url, {
        onAnnounce: (step) => void (announced = step),
      });
      try {
        const { page } = browser;
        const [found] = await page.evaluate(() => storeTests.runs());
        const { id, last } = found ?? (await page.evaluate(() => storeTests.createRun('crash')));
        if (last.length > 0) {
          const loaded = await page.evaluate(([id, megabytes]) => storeTests.load(id, 'last', megabytes), [
            id,
            MEGABYTES,
          ] as const);
          expect(loaded).toMatchObject({ same: true });
          const step = 'step' in loaded ? loaded.step : NaN;
          // The one that was being saved, or the one before it.
          expect([announced, announced - 1]).toContain(step);
          saved = step;
        } else expect(announced).toBeLessThanOrEqual(1);
        if (kill === KILLS) break;
        const saving = page.evaluate(
          ([id, from, megabytes]) => storeTests.saveBackToBack(id, from, megabytes),
          [id, saved + 1, MEGABYTES] as const,
        );
        saving.catch(() => undefined);
        // One save at least is done, however busy the machine is.
        while (kill === 0 && announced < 2) await sleep(50);
        await sleep(random.integer(LONGEST_MS));
      } finally {
        await browser.kill();
      }
    }
    console.log(`${KILLS} kills; ${saved} checkpoints of ${MEGABYTES} MB survived on their way`);
    expect(saved).toBeGreaterThan(0);
  },
);
