/** The browser's side of `golden --browser`: what `chromium.ts` calls in the page. */
import type { Verdict } from './compare';
import { runFile, type GoldenOptions } from './run';

declare global {
  /** Runs the case whose file is served at `address`. */
  var runGolden: (name: string, address: string, options: GoldenOptions) => Promise<Verdict>;
}

globalThis.runGolden = async (name, address, options) => {
  const file = new Uint8Array(await (await fetch(address)).arrayBuffer());
  return runFile(navigator.gpu, options, name, file);
};
