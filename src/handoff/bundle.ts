/** What someone leaves with, as files of one folder: configurations, a script for each, the review. */
import { schemaText } from '../config/json_schema';
import { EditError } from '../config/layout';
import { scriptFor, smokePreset } from './commands';
import { whyNotRun, type NamedText } from './commands/steps';
import { derive, variantText } from './derive';
import { isSmokeRun, type Target } from '../config/targets';

export interface BundleFile {
  /** With `/` between folders, below the folder that is unpacked into. */
  readonly path: string;
  readonly text: string;
}

export interface BundledConfig {
  readonly name: string;
  readonly text: string;
  readonly target: Target;
}

/** A path that stays below the folder that it is unpacked into, on any system; files that are nowhere go to configs/. */
function inside(name: string): string {
  const parts = name
    .replaceAll('\\', '/')
    // eslint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f<>:"|?*]/g, '_')
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  const path = parts.join('/') || 'config.yaml';
  const named = /\.ya?ml$/i.test(path) ? path : `${path}.yaml`;
  return named.startsWith('configs/') ? named : `configs/${named}`;
}

/** The name, or one with a number where it is taken; systems that fold case would lose one of two files. */
function free(path: string, taken: Set<string>): string {
  const [, stem = path, end = ''] = /^(.*?)(\.\w+)$/.exec(path) ?? [];
  for (let i = 1; ; i++) {
    const name = i === 1 ? path : `${stem}_${i}${end}`;
    if (taken.has(name.toLowerCase())) continue;
    taken.add(name.toLowerCase());
    return name;
  }
}

/** The smoke run of a configuration: one of the files, else made of it, else the preset. Undefined where none comes before it. */
function smokeOf(config: BundledConfig, files: readonly BundledConfig[]): NamedText | undefined {
  const { target } = config;
  if (target.name === 'browser' || isSmokeRun(config.name)) return undefined;
  const modal = target.name === 'modal';
  const own = files.find(
    (one) =>
      isSmokeRun(one.name) &&
      whyNotRun(one) === undefined &&
      one.target.name !== 'browser' &&
      (one.target.name === 'modal') === modal,
  );
  if (own) return own;
  try {
    const made = derive(config.text, modal ? 'smoke_modal' : 'smoke', target);
    return { name: made.name, text: variantText(config.text, made) };
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    return smokePreset(modal);
  }
}

/**
 * Unpacked in the trainer's folder, the scripts find the configurations: commands.sh for a single one, else one below
 * commands/ for each that can be launched, none for one that the trainer rejects. Every file that a command
 * names is there, and the schema by which editors check configurations.
 */
export function bundleOf(configs: readonly BundledConfig[], review?: string): BundleFile[] {
  const taken = new Set<string>(['review.md', 'commands.sh']);
  const named = configs.map((config) => ({ ...config, name: free(inside(config.name), taken) }));
  const smokes: NamedText[] = [];
  const scripts = named
    .filter((one) => one.target.name !== 'browser' && whyNotRun(one) === undefined)
    .map((config) => {
      const path =
        configs.length === 1
          ? 'commands.sh'
          : config.name.replace(/^configs\//, 'commands/').replace(/\.ya?ml$/i, '.sh');
      const made = smokeOf(config, named);
      let smoke =
        made &&
        [...named.filter((one) => one === made), ...smokes.filter(({ text }) => text === made.text)][0];
      if (made && !smoke) smokes.push((smoke = { ...made, name: free(made.name, taken) }));
      return { path, text: scriptFor({ ...config, smoke }) };
    });
  return [
    ...named.map(({ name, text }) => ({ path: name, text })),
    ...scripts,
    ...smokes.map(({ name, text }) => ({ path: name, text })),
    { path: 'configs/schema.json', text: schemaText() },
    ...(review === undefined ? [] : [{ path: 'review.md', text: review }]),
  ];
}
