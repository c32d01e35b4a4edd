/** Which tab trains a run of the store: its worker holds a lock of the run's name, which the browser takes back when that ends. */

const PREFIX = 'smokescan-run ';

/** Holds the run until `release`. Throws with a sentence where another tab or another run holds it. */
export async function holdRun(id: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    void navigator.locks
      .request(PREFIX + id, { ifAvailable: true }, (lock) => {
        if (!lock)
          throw new Error('This run is training in another tab: go on there, or stop it there first.');
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}

/** Does `work` while nobody trains the run. Throws with a sentence where somebody does. */
export const whileIdle = async (id: string, work: () => Promise<void>): Promise<void> =>
  navigator.locks.request(PREFIX + id, { ifAvailable: true }, async (lock) => {
    if (!lock) throw new Error('This run is training. Stop it before you delete it.');
    await work();
  });

/** The runs that are being trained, in whichever tab. */
export async function runsInTraining(): Promise<ReadonlySet<string>> {
  const { held = [] } = await navigator.locks.query();
  return new Set(
    held.flatMap(({ name = '' }) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [])),
  );
}
