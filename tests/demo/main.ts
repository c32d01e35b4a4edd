/** `npm run demo`: records the run of the opening page anew. Takes minutes. */
import { writeFile } from 'node:fs/promises';
import type { Recorded } from '../../src/app/pages/demo/recorded';
import { requestNodeDevice } from '../../src/cli/node_device';
import { doorsOf, eegOf, gateOf, openCorpus, runOf, trainDemo } from './record';

const FILE = new URL('../../src/app/pages/demo/recorded.json', import.meta.url);

export async function main(): Promise<number> {
  const folder = await openCorpus();
  const recorded: Recorded = {
    ...runOf(await trainDemo(requestNodeDevice, folder)),
    ...(await eegOf(folder)),
    ...doorsOf(),
    gate: await gateOf(await requestNodeDevice()),
  };
  await writeFile(FILE, `${JSON.stringify(recorded, null, 1)}\n`);
  console.log(recorded.validations.at(-1));
  return 0;
}
