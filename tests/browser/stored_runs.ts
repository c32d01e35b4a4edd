/** What the store holds of runs, read and damaged behind the app's back. */
import type { Page } from 'playwright-core';

export interface Kept {
  name: string;
  losses: number[];
  aurocs: unknown[];
  outcome: string | null;
  /** Of the newest checkpoint of `last`, 0 where there is none; how many of these there are. */
  step: number;
  generations: number;
  /** Of the parts of the newest checkpoint, which hold all of its tensors. */
  shards: string[];
}

/** What the store holds, the oldest run first; nothing where there is no store. */
export const kept = (page: Page): Promise<Kept[]> =>
  page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
      });
    const opening = indexedDB.open('smokescan-checkpoints');
    // To make it is the app's.
    opening.onupgradeneeded = () => opening.transaction?.abort();
    const database = await done(opening).catch(() => null);
    if (!database) return [];
    const store = database.transaction('checkpoints').objectStore('checkpoints');
    interface StoredRun {
      id: string;
      name: string;
      created: number;
      last: { number: number; step: number }[];
      summary: {
        losses: number[];
        validations: { scores: { auroc: unknown } }[];
        outcome: string | null;
      };
    }
    const keys = IDBKeyRange.bound('run/', 'run/\uffff');
    const runs = await done(store.getAll(keys) as IDBRequest<StoredRun[]>);
    const found = runs
      .sort((a, b) => a.created - b.created)
      .map(async ({ id, name, last, summary: { losses, validations, outcome } }) => {
        const [newest] = last;
        const manifest = store.get(`manifest/${id}/${newest?.number}`) as IDBRequest<string | undefined>;
        const { shards } = JSON.parse((await done(manifest)) ?? '{"shards":[]}') as {
          shards: { sha256: string }[];
        };
        return {
          name,
          losses,
          aurocs: validations.map(({ scores }) => scores.auroc),
          outcome,
          step: newest?.step ?? 0,
          generations: last.length,
          shards: shards.map(({ sha256 }) => sha256),
        };
      });
    const all = await Promise.all(found);
    database.close();
    return all;
  });

/** Changes a byte of the newest checkpoint of the only run; the step of the one before it. */
export const damageNewest = (page: Page): Promise<number | undefined> =>
  page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
      });
    const database = await done(indexedDB.open('smokescan-checkpoints'));
    const store = database.transaction('checkpoints', 'readwrite').objectStore('checkpoints');
    interface StoredRun {
      id: string;
      last: { number: number; step: number }[];
    }
    const keys = IDBKeyRange.bound('run/', 'run/\uffff');
    const [run] = await done(store.getAll(keys) as IDBRequest<StoredRun[]>);
    const [newest, older] = run?.last ?? [];
    const key = `shard/${run?.id}/${newest?.number}/0`;
    const shard = await done(store.get(key) as IDBRequest<Uint8Array<ArrayBuffer>>);
    shard[1000] = (shard[1000] ?? 0) ^ 1;
    await done(store.put(shard, key));
    database.close();
    return older?.step;
  });
