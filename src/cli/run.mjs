#!/usr/bin/env node
// `smokescan COMMAND [ARGUMENT…]`: each command is the module of its name beside this file.
import { runModule } from './load.mjs';

const COMMANDS = ['train', 'detect', 'score', 'check', 'validate', 'estimate', 'schema'];

const [command, ...args] = process.argv.slice(2);
if (COMMANDS.includes(command)) await runModule(`src/cli/${command}.ts`, args);
else {
  const problem = command === undefined ? '' : `There is no command "${command}". `;
  console.error(`${problem}Usage: smokescan ${COMMANDS.join(' | ')} [ARGUMENT…]`);
  process.exitCode = 2;
}
