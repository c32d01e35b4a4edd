#!/usr/bin/env node
// `smokescan COMMAND [ARGUMENT…]`, whose commands are main.ts.
import { runModule } from './load.mjs';

process.stdout.on('error', ({ code, message }) => {
  // Whoever reads may stop before the end, as `head` does: the code of a program that SIGPIPE ends, as 0 would be a promise kept.
  if (code === 'EPIPE') process.exit(141);
  console.error(
    `Standard output could not be written to (${message}); send it elsewhere, or free some space`,
  );
  process.exit(1);
});

await runModule('src/cli/main.ts', process.argv.slice(2));
