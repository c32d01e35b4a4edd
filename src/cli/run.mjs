#!/usr/bin/env node
// `smokescan COMMAND [ARGUMENT…]`, whose commands are main.ts.
import { runModule } from './load.mjs';

// Whoever reads may stop before the end, as `head` does.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

await runModule('src/cli/main.ts', process.argv.slice(2));
