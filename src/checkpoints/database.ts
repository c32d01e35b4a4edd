/**
 * An IndexedDB of one object store, in idb-keyval's form (`UseStore`), but with transactions that are on the disk when
 * they complete: idb-keyval's own store leaves the durability to the browser, and Chromium then only hands the data to
 * the operating system.
 */
import { promisifyRequest, type UseStore } from 'idb-keyval';
import { StoreUnavailableError } from './store_errors';

const OBJECT_STORE = 'checkpoints';

export interface Database {
  readonly use: UseStore;
  close(): void;
}

/** Opens at the first use, and again where the browser closed it. */
export function openDatabase(name: string): Database {
  let opening: Promise<IDBDatabase> | undefined;
  const open = async (): Promise<IDBDatabase> => {
    if (typeof indexedDB === 'undefined') throw new StoreUnavailableError('it has no IndexedDB');
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => request.result.createObjectStore(OBJECT_STORE);
    const database = await promisifyRequest(request);
    const forget = (): void => {
      opening = undefined;
    };
    database.onclose = forget;
    // Another tab wants to delete the database.
    database.onversionchange = () => {
      database.close();
      forget();
    };
    return database;
  };
  return {
    use: async (mode, callback) => {
      opening ??= open().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      const database = await opening;
      const transaction = database.transaction(OBJECT_STORE, mode, { durability: 'strict' });
      return callback(transaction.objectStore(OBJECT_STORE));
    },
    close: () => {
      void opening?.then((database) => database.close());
      opening = undefined;
    },
  };
}
