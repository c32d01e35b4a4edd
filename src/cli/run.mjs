#!/usr/bin/env node
// `smokescan COMMAND [ARGUMENT…]`: each command is the module of its name beside this file.
import { runModule } from './load.mjs';

const COMMANDS = ['train', 'detect', 'bench', 'score', 'check', 'validate', 'rules', 'estimate', 'schema'];

// Whoever reads may stop before the end, as `head` does.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const [command, ...args] = process.argv.slice(2);
if (COMMANDS.includes(command)) await runModule(`src/cli/${command}.ts`, args);
else {
  const usage = `Usage: smokescan ${COMMANDS.join(' | ')} [ARGUMENT…]\nWith --help each command says what it takes.`;
  const help = command === '--help' || command === '-h';
  if (help) console.log(usage);
  else console.error(command === undefined ? usage : `There is no command "${command}". ${usage}`);
  process.exitCode = help ? 0 : 2;
}
