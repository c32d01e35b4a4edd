/** `smokescan`: its commands, and what each is for. */
import { version } from '../../package.json';
import { aligned } from '../base/table';
import { nearestOf } from '../config/letters';
import { complain, print } from './print';

interface Loaded {
  readonly main: (args: readonly string[]) => Promise<number>;
}

/** In the order of use. A command is loaded when it runs: some bring the whole engine. */
const COMMANDS: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Loaded> }>> = {
  validate: {
    about: 'issues of configurations of the trainer, and fixes for them',
    load: () => import('./validate'),
  },
  rules: { about: 'the rules by which validate judges', load: () => import('./rules') },
  estimate: { about: 'GPU memory, system RAM, hours and dollars of a run', load: () => import('./estimate') },
  check: { about: 'what recordings are, and what cannot be used', load: () => import('./check') },
  train: { about: 'a detector, trained on this machine’s GPU', load: () => import('./train') },
  detect: { about: 'seizures in recordings, with finished weights', load: () => import('./detect') },
  score: { about: 'detected seizures against annotations', load: () => import('./score') },
  bench: { about: 'what this GPU reaches, and whether it computes right', load: () => import('./bench') },
  app: { about: 'the app, served to this machine’s browser', load: () => import('./app') },
  schema: { about: 'the JSON Schema of configurations, for editors', load: () => import('./schema') },
};

const usage = (): string =>
  [
    'Usage: smokescan COMMAND [ARGUMENT…]',
    '',
    ...aligned(Object.entries(COMMANDS).map(([name, { about }]) => [`  ${name}`, about])),
    '',
    '  smokescan COMMAND --help  all that a command takes, and what its exit codes mean',
    '  smokescan --version, -v   this version',
    '',
    'Exit codes of all: 0 done, 1 a file or a run that failed, 2 wrong arguments, 141 where the reader of the output stopped before its end; further ones in the command’s help.',
  ].join('\n');

/** Runs a command; its exit code. */
export async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    print(usage());
    return 0;
  }
  if (name === '--version' || name === '-v') {
    print(version);
    return 0;
  }
  if (name === 'help') return main(args[0] === undefined ? ['--help'] : [args[0], '--help']);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    const [kind, known] = name.startsWith('-')
      ? ['option', ['--help', '--version']]
      : ['command', Object.keys(COMMANDS)];
    const near = nearestOf(name, known);
    complain(
      `There is no ${kind} ${name === '' ? 'without a name' : name}${near ? `; the nearest is ${near}` : ''}. smokescan --help lists all.`,
    );
    return 2;
  }
  const { main: run } = await command.load();
  return run(args);
}
