import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startKillable, startSite, type Killable, type Site } from './store/browser';

/** Two shards. */
const MEGABYTES = 20;

let profile: string;
let site: Site;
let browser: Killable;
let page: Page;

beforeAll(async () => {
  profile = mkdtempSync(join(tmpdir(), 'smokescan-store-'));
  site = await startSite();
  browser = await startKillable(profile, site.url);
  ({ page } = browser);
});
afterAll(async () => {
  await browser.kill();
  await site.close();
  rmSync(profile, { recursive: true, maxRetries: 10 });
});

const createRun = (name: string) => page.evaluate((name) => storeTests.createRun(name), name);
const runs = () => page.evaluate(() => storeTests.runs());
const find = async (id: string) => (await runs()).find((run) => run.id === id);
const keys = async (id: string) =>
  (await page.evaluate(() => storeTests.keys())).map(String).filter((key) => key.includes(id));
const save = (id: string, slot: 'last' | 'best', step: number, megabytes = MEGABYTES) =>
  page.evaluate(([id, slot, step, megabytes]) => storeTests.save(id, slot, step, megabytes), [
    id,
    slot,
    step,
    megabytes,
  ] as const);
const load = (id: string, slot: 'last' | 'best', number?: number) =>
  page.evaluate(([id, slot, megabytes, number]) => storeTests.load(id, slot, megabytes, number), [
    id,
    slot,
    MEGABYTES,
    number,
  ] as const);
const damage = (key: string, how: 'flip' | 'cut' | 'remove') =>
  page.evaluate(([key, how]) => storeTests.damage(key, how), [key, how] as const);

test('what is saved is loaded, to the bit; two generations of last stay, one of best', async () => {
  const { id } = await createRun('generations');
  for (let step = 1; step <= 3; step++) {
    expect(await save(id, 'last', step)).toMatchObject({ step, verified: true });
    expect(await save(id, 'best', step)).toMatchObject({ step, verified: true });
  }
  expect(await load(id, 'last')).toEqual({ step: 3, number: 5, verified: true, same: true });
  expect(await load(id, 'last', 3)).toMatchObject({ step: 2, same: true });
  expect(await load(id, 'best')).toMatchObject({ step: 3, same: true });
  const run = await find(id);
  expect(run?.last.map(({ step }) => step)).toEqual([3, 2]);
  expect(run?.best.map(({ step }) => step)).toEqual([3]);
  // Three generations of one manifest and two shards, and the run.
  expect((await keys(id)).sort()).toEqual(
    [
      ...[3, 5, 6].flatMap((number) => [
        `manifest/${id}/${number}`,
        `shard/${id}/${number}/0`,
        `shard/${id}/${number}/1`,
      ]),
      `run/${id}`,
    ].sort(),
  );
});

test('runs are listed, renamed, pinned and deleted', async () => {
  const { id } = await createRun('first');
  await createRun('second');
  await save(id, 'last', 1);
  const renamed = await page.evaluate(
    (id) => storeTests.updateRun(id, { name: 'renamed', pinned: true }),
    id,
  );
  expect(renamed).toMatchObject({ name: 'renamed', pinned: true, config: 'epochs: 3' });
  expect((await runs()).slice(0, 2).map(({ name }) => name)).toEqual(['renamed', 'second']);
  expect(await page.evaluate((id) => storeTests.deleteRun(id), id)).toMatchObject({
    message: 'The run “renamed” is pinned: unpin it before you delete it.',
  });
  await page.evaluate((id) => storeTests.updateRun(id, { pinned: false }), id);
  expect(await page.evaluate((id) => storeTests.deleteRun(id), id)).toBeUndefined();
  expect(await keys(id)).toEqual([]);
  expect(await load(id, 'last')).toMatchObject({ name: 'MissingRunError' });
  expect(await save(id, 'last', 2)).toMatchObject({ name: 'MissingRunError' });
  expect(await keys(id)).toEqual([]);
});

describe('damaged checkpoints are found, named, and the older one is offered', () => {
  test.each([
    ['shard', 'flip', 'shard 2 of 2 does not have its checksum'],
    ['shard', 'cut', /shard 2 of 2 has \d+ bytes, not \d+/],
    ['shard', 'remove', 'shard 2 of 2 is missing'],
    ['manifest', 'flip', 'its manifest is damaged'],
    ['manifest', 'remove', 'its manifest is missing'],
  ] as const)('%s: %s', async (what, how, problem) => {
    const { id } = await createRun('damaged');
    await save(id, 'last', 1);
    await save(id, 'last', 2);
    await damage(what === 'shard' ? `shard/${id}/2/1` : `manifest/${id}/2`, how);
    const failure = await load(id, 'last');
    expect(failure).toMatchObject({ name: 'CorruptedCheckpointError' });
    const message = 'message' in failure ? failure.message : '';
    expect(message).toMatch('The checkpoint “last” of the run “damaged” at step 2 is damaged');
    expect(message).toMatch(problem);
    expect(message).toMatch('“last” of step 1 can be loaded instead (number 1).');
    expect(await load(id, 'last', 1)).toMatchObject({ step: 1, same: true });
    // The next checkpoint puts everything right.
    await save(id, 'last', 3);
    expect(await load(id, 'last')).toMatchObject({ step: 3, same: true });
  });

  test('where there is no older one, it says so', async () => {
    const { id } = await createRun('alone');
    expect(await load(id, 'last')).toMatchObject({ name: 'MissingCheckpointError' });
    await save(id, 'last', 1);
    await damage(`shard/${id}/1/0`, 'flip');
    expect(await load(id, 'last')).toMatchObject({
      message: expect.stringMatching(/There is no older one\.$/) as string,
    });
  });
});

test('a full disk is an error of its own, and what was saved stays', async () => {
  // Chromium remembers how much room an origin has, so the limit comes first, and to an origin of its own.
  const address = site.url.replace('127.0.0.1', 'localhost');
  const { origin } = new URL(address);
  const other = await page.context().newPage();
  const session = await page.context().newCDPSession(other);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1.5e6 * MEGABYTES });
  await other.goto(address);
  await other.waitForFunction(() => 'storeTests' in globalThis);
  const { id } = await other.evaluate(() => storeTests.createRun('quota'));
  const saveStep = (step: number) =>
    other.evaluate(([id, step, megabytes]) => storeTests.save(id, 'last', step, megabytes), [
      id,
      step,
      MEGABYTES,
    ] as const);
  expect(await saveStep(1)).toMatchObject({ step: 1, verified: true });
  expect(await saveStep(2)).toMatchObject({
    name: 'QuotaError',
    message: expect.stringMatching(/no room for the checkpoint of 20 MB.*Delete old runs/) as string,
  });
  const loaded = await other.evaluate(([id, megabytes]) => storeTests.load(id, 'last', megabytes), [
    id,
    MEGABYTES,
  ] as const);
  expect(loaded).toMatchObject({ step: 1, same: true });
  expect((await other.evaluate(() => storeTests.runs()))[0]?.last).toHaveLength(1);

  // The record of a run fits where a checkpoint does not: it says that the run has ended only once the last state is there.
  const { saved, said, before } = await other.evaluate(
    ([id, megabytes]) => storeTests.endRun(id, 2, megabytes),
    [id, MEGABYTES] as const,
  );
  expect(saved).toMatchObject({ name: 'QuotaError' });
  expect(said).toMatch('no room for the checkpoint');
  expect(before).toMatchObject({ step: 1, summary: { outcome: null } });
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  const after = await other.evaluate(() => storeEndLater());
  expect(after).toMatchObject({ step: 2, summary: { outcome: 'completed' } });
  expect(await saveStep(3)).toMatchObject({ step: 3, verified: true });
  await other.close();
});

test('errors of the store’s worker keep their names', async () => {
  expect(await page.evaluate(() => storeTests.failInWorker())).toMatchObject({
    name: 'MissingRunError',
    message: expect.stringMatching(/There is no run nobody/) as string,
  });
});

test('the browser answers whether it keeps the data', async () => {
  expect(typeof (await page.evaluate(() => storeTests.persist()))).toBe('boolean');
});

test('a state is handed over to the worker without a copy, and the worker saves it', async () => {
  const { id } = await createRun('handed over');
  const { before, after } = await page.evaluate(([id, megabytes]) => storeTests.saveInWorker(id, megabytes), [
    id,
    MEGABYTES,
  ] as const);
  expect(before).toBeGreaterThan(0.99e6 * MEGABYTES);
  expect(after).toBe(0);
  expect(await load(id, 'last')).toMatchObject({ step: 1, verified: true, same: true });
});

test('copies in a folder are those of the store, and bring back what it lost, each with its number', async () => {
  await page.evaluate(() => storeTests.chooseCopies());
  const { id } = await createRun('copied');
  const copy = () => page.evaluate((id) => storeTests.copy(id), id);
  const copied = async () =>
    (await page.evaluate(() => storeTests.copied())).map((path) => path.split('/')[1]);
  for (let step = 1; step <= 3; step++) {
    await save(id, 'last', step);
    if (step === 2) await save(id, 'best', step);
    expect(await copy()).toBe(null);
  }
  const files = ['best-3-step-2', 'last-2-step-2', 'last-4-step-3'].map(
    (name) => `${name}.state.safetensors`,
  );
  expect(await copied()).toEqual([...files, 'run.json']);
  const before = await find(id);

  const lose = () => page.evaluate((id) => storeTests.deleteRun(id), id);
  const restore = () => page.evaluate(() => storeTests.restore());
  expect(await restore()).toEqual({ restored: [], problems: [] });
  await lose();
  expect(await keys(id)).toEqual([]);
  expect(await restore()).toEqual({ restored: ['copied'], problems: [] });
  expect(await find(id)).toEqual(before);
  expect(await load(id, 'last')).toEqual({ step: 3, number: 4, verified: true, same: true });
  expect(await load(id, 'last', 2)).toMatchObject({ step: 2, same: true });
  expect(await load(id, 'best')).toMatchObject({ step: 2, same: true });

  // What is damaged is left out and named; where nothing is left the run is.
  const paths = await page.evaluate(() => storeTests.copied());
  const cut = (i: number) => page.evaluate((path) => storeTests.cutCopy(path), paths[i] ?? '');
  await lose();
  await cut(2);
  const { restored, problems } = await restore();
  expect(restored).toEqual(['copied']);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^“last” of “copied” at step 3 is not put back: ./);
  expect(await load(id, 'last')).toMatchObject({ step: 2, same: true });
  await lose();
  await cut(0);
  await cut(1);
  expect((await restore()).restored).toEqual([]);
  expect(await keys(id)).not.toContain(`run/${id}`);

  expect(await page.evaluate((id) => storeTests.deleteCopy(id), id)).toBe(null);
  expect(await copied()).toEqual([]);
});
