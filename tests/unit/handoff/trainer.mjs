/**
 * A stub of the trainer's command line and of Modal's client: the options, exit codes and files of the originals, as described
 * of their source at 2025-09-21, without anything that computes. One process answers all commands, which cost less than a start
 * of Node each: it prints its port, to which scripts named python and modal (launch.test.ts) send $PWD, $BGB_LIMIT_FILES and
 * their arguments. /data and /results are below the folder in which a command runs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';

/** A command that ends with an exit code, what it says on stderr, and what it has printed. */
class Exit extends Error {
  constructor(code, sentence, stdout = '') {
    super(sentence);
    this.code = code;
    this.stdout = stdout;
  }
}
const fail = (code, sentence) => {
  throw new Exit(code, `${sentence}\n`);
};
const local = (path) => (/^\/(data|results)(\/|$)/.test(path) ? join(process.cwd(), path) : path);

/** Options that take one of a few words. */
const CHOICES = {
  '--split': ['train', 'val'],
  '--phase': ['data', 'model', 'training'],
  '--device': ['auto', 'cpu', 'cuda'],
};

/** Options and positionals; click in this trainer turns a usage error into a traceback, which ends with 1. */
function options(given, known, flags = []) {
  const found = { _: [] };
  for (let i = 0; i < given.length; i++) {
    const name = given[i];
    if (flags.includes(name)) found[name] = true;
    else if (known.includes(name)) {
      const value = given[++i];
      if (value === undefined) fail(1, `Option '${name}' requires an argument.`);
      if (CHOICES[name]?.includes(value) === false) fail(1, `Invalid value for ${name}`);
      found[name] = value;
    } else if (name.startsWith('-')) fail(1, `No such option: ${name}`);
    else found._.push(name);
  }
  return found;
}

function edfBelow(folder) {
  const found = [];
  const visit = (at) => {
    for (const entry of readdirSync(at, { withFileTypes: true }))
      if (entry.isDirectory()) visit(join(at, entry.name));
      else if (entry.name.endsWith('.edf')) found.push(join(at, entry.name));
  };
  visit(folder);
  return found.sort((a, b) => (a < b ? -1 : 1));
}

const stem = (path) => basename(path, '.edf');
const seizes = (edf) => {
  const csv = edf.replace(/edf$/, 'csv');
  return (
    existsSync(csv) && /,(seiz|gnsz|fnsz|cpsz|absz|spsz|tcsz|tnsz|mysz),/.test(readFileSync(csv, 'utf8'))
  );
};

function cacheFiles(files, folder) {
  mkdirSync(folder, { recursive: true });
  for (const edf of files) {
    const path = join(folder, `${stem(edf)}_windows.npz`);
    if (!existsSync(path)) writeFileSync(path, seizes(edf) ? 'seizure' : '');
  }
}

/** Names of recordings in the cache, and whether one of them seizes; written as the manifest. */
function scan(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.npz'));
  const partial = names.filter((name) => readFileSync(join(folder, name), 'utf8') === 'seizure');
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ partial, names }));
  return partial.length;
}

const configOf = (path) => parse(readFileSync(path, 'utf8'), { version: '1.1' });

const COMMANDS = {
  validate(given) {
    const { _: files } = options(given, ['--phase']);
    if (files.length !== 1 || !existsSync(files[0])) fail(1, 'no such file');
    const data = configOf(files[0]);
    const missing = ['data', 'model', 'training', 'postprocessing'].filter((name) => !(name in (data ?? {})));
    if (missing.length > 0) fail(1, `Missing required sections: ${missing.join(', ')}`);
  },
  'build-cache'(given) {
    const found = options(given, ['--data-dir', '--cache-dir', '--validation-split', '--split']);
    const { '--validation-split': split = '0.2', '--split': part = 'train' } = found;
    if (found._.length > 0) fail(1, 'Got unexpected extra argument');
    if (!found['--data-dir'] || !found['--cache-dir']) fail(1, 'Missing option');
    const [data, cache] = [local(found['--data-dir']), local(found['--cache-dir'])];
    if (!existsSync(data)) fail(1, `Path ${data} does not exist`);
    if (!(Number(split) >= 0 && Number(split) <= 0.5)) fail(1, 'validation-split must be in [0.0, 0.5]');
    const files = edfBelow(data);
    const held = Math.trunc(files.length * Number(split));
    cacheFiles(part === 'val' ? files.slice(0, held) : files.slice(held), cache);
    if (scan(cache) === 0) fail(2, 'No seizures found in cache');
  },
  'scan-cache'(given) {
    const { '--cache-dir': cache, _: more } = options(given, ['--cache-dir']);
    if (!cache || more.length > 0 || !existsSync(local(cache))) fail(1, 'Path does not exist');
    if (scan(local(cache)) === 0) fail(2, 'No seizures detected across cache');
  },
  train(given) {
    const { _: files, '--resume': resume } = options(given, ['--device'], ['--resume']);
    if (files.length !== 1 || !existsSync(files[0])) fail(1, 'no such file');
    const { data, training, experiment } = configOf(files[0]);
    const all = edfBelow(local(data.data_dir));
    const held = Math.trunc(all.length * data.validation_split);
    let [train, val] = [all.slice(held), all.slice(0, held)];
    const limit = Number(process.env.BGB_LIMIT_FILES ?? 0);
    if (limit > 0) {
      train = train.slice(0, limit);
      val = val.slice(0, Math.max(1, Math.min(val.length, Math.max(1, Math.floor(limit / 5)))));
    }
    const cache = local(data.cache_dir);
    const manifest = join(cache, 'train/manifest.json');
    const balanced = data.use_balanced_sampling !== false;
    if (balanced && !existsSync(manifest)) {
      mkdirSync(dirname(manifest), { recursive: true });
      scan(dirname(manifest));
    }
    const listed = balanced ? JSON.parse(readFileSync(manifest, 'utf8')) : undefined;
    let trained = listed?.names.map((name) => name.replace('_windows.npz', ''));
    if (!listed || listed.partial.length === 0) {
      cacheFiles(train, join(cache, 'train'));
      if (balanced && !train.some(seizes)) fail(1, '[FATAL] No seizures found');
      trained = train.map(stem);
    }
    cacheFiles(val, join(cache, 'val'));
    const out = join(local(experiment.output_dir ?? 'results'), 'checkpoints');
    mkdirSync(out, { recursive: true });
    if (resume && existsSync(join(out, 'last.pt')) && readFileSync(join(out, 'last.pt'), 'utf8') === '')
      fail(1, 'PytorchStreamReader failed reading zip archive');
    if (val.length === 0) fail(1, 'torch.cat(): expected a non-empty list of Tensors');
    const said = {
      trained: trained.sort(),
      validated: val.map(stem),
      epochs: training.epochs,
      resume: resume === true,
    };
    for (const name of ['best.pt', 'last.pt']) writeFileSync(join(out, name), JSON.stringify(said));
  },
};

function python(given) {
  if (given[0] === '-c') {
    const [, code, ...rest] = given;
    const { status, stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', code, ...rest.map(local)], {
      encoding: 'utf8',
    });
    throw new Exit(status ?? 1, stderr, stdout);
  }
  const [flag, module, command, ...rest] = given;
  if (flag !== '-m' || module !== 'src' || !Object.hasOwn(COMMANDS, command))
    fail(1, `No such command: ${given.join(' ')}`);
  COMMANDS[command](rest);
}

/** What the launcher makes of a configuration, and how it starts the trainer. */
function launch(config, resume) {
  const data = configOf(config);
  const root = ['/data/edf/train', '/data'].find((path) => existsSync(local(path)));
  if (root) data.data.data_dir = root;
  const experiment = (data.experiment ??= {});
  experiment.output_dir = `/results/${basename(experiment.output_dir ?? 'results/run')}`;
  const made = join(process.cwd(), 'launched.yaml');
  writeFileSync(made, stringify(data, { version: '1.1' }));
  if (/smoke/i.test(config)) process.env.BGB_LIMIT_FILES = '50';
  else delete process.env.BGB_LIMIT_FILES;
  try {
    python(['-m', 'src', 'train', made, ...(resume ? ['--resume'] : [])]);
  } catch (error) {
    const { code, message } = exitOf(error);
    fail(1, `${message}Training failed with exit code ${code}`);
  }
}

function modal([group, ...rest]) {
  const usage = () => fail(2, `Usage: modal ${group} ${rest.join(' ')}`);
  if (group === 'run') {
    const app = rest.findIndex((one) => one === 'deploy/modal/app.py');
    if (app < 0 || rest.slice(0, app).some((one) => one !== '--detach')) usage();
    const found = { '--action': 'train', resume: false };
    const given = rest.slice(app + 1);
    while (given.length > 0) {
      const name = given.shift();
      if (name === '--resume' || name === '--no-resume') found.resume = name === '--resume';
      else if (['--action', '--config'].includes(name) && given.length > 0) found[name] = given.shift();
      else usage();
    }
    if (found['--action'] !== 'train') usage();
    return launch(found['--config'], found.resume);
  }
  if (group === 'shell') {
    const [what, flag, command, ...more] = rest;
    if (what !== 'deploy/modal/app.py::train' || flag !== '--cmd' || more.length > 0) usage();
    const words = spawnSync(
      '/usr/bin/python3',
      ['-c', 'import shlex, sys, json; print(json.dumps(shlex.split(sys.argv[1])))', command],
      { encoding: 'utf8' },
    );
    const [name, ...given] = JSON.parse(words.stdout);
    if (name !== 'python') fail(127, `${name}: not found`);
    return python(given);
  }
  if (group === 'volume') {
    const [get, volume, remote] = rest;
    if (get !== 'get' || volume !== 'brain-go-brr-results') usage();
    if (!existsSync(local(`/results/${remote}`))) fail(1, `No such file: ${remote}`);
    return undefined;
  }
  const joined = [group, ...rest].join(' ');
  const known = [/^secret list$/, /^secret create \S+( \w+=.+)+$/, /^app list$/, /^app logs -f ap-\w+$/];
  return known.some((one) => one.test(joined)) ? undefined : usage();
}

/** How a command ended that threw; Python and Node end with 1 where nothing else is said. */
const exitOf = (error) => (error instanceof Exit ? error : new Exit(1, `${error.stack}\n`));

/** Runs one command: its exit code on a line, what it prints up to the character 1, and what it says on stderr. */
function answer([cwd, limit, program, ...args]) {
  process.chdir(cwd);
  process.env.BGB_LIMIT_FILES = limit;
  try {
    (program === 'python' ? python : modal)(args);
    return '0\n\x01';
  } catch (error) {
    const { code, stdout, message } = exitOf(error);
    return `${code}\n${stdout}\x01${message}`;
  }
}

const END = '\x01\0';
createServer((socket) => {
  let request = '';
  socket.setEncoding('utf8').on('data', (text) => {
    request += text;
    if (request.endsWith(END)) socket.end(answer(request.slice(0, -END.length).split('\0').slice(0, -1)));
  });
}).listen(0, '127.0.0.1', function () {
  console.log(this.address().port);
});
