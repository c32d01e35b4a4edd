/** The browser's side of `golden --browser`: what `chromium.ts` calls in the page. */
import type { Verdict } from './compare';
import { GoldenRunner, type GoldenOptions } from './run';

declare global {
  /** Runs the case whose file is served at `address`; the first call's options hold for all. */
  var runGolden: (name: string, address: string, options: GoldenOptions) => Promise<Verdict>;
}

let runner: GoldenRunner | undefined;

globalThis.runGolden = async (name, address, options) => {
  const file = new Uint8Array(await (await fetch(address)).arrayBuffer());
  runner ??= new GoldenRunner(navigator.gpu, options);
  return runner.run(name, file);
};
