/** What someone leaves with, as files of one folder: configurations, a script for each, the review. */
import { scriptFor } from './commands';
import type { Target } from '../config/targets';

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

/**
 * Unpacked in the trainer's folder, the scripts find the configurations: commands.sh for a single one, else one below
 * commands/ for each that can be launched.
 */
export function bundleOf(configs: readonly BundledConfig[], review?: string): BundleFile[] {
  const taken = new Set<string>(['review.md', 'commands.sh']);
  const named = configs.map((config) => ({ ...config, name: free(inside(config.name), taken) }));
  const scripts = named
    .filter(({ target }) => target.name !== 'browser')
    .map((config) => ({
      path:
        configs.length === 1
          ? 'commands.sh'
          : config.name.replace(/^configs\//, 'commands/').replace(/\.ya?ml$/i, '.sh'),
      text: scriptFor(config),
    }));
  return [
    ...named.map(({ name, text }) => ({ path: name, text })),
    ...scripts,
    ...(review === undefined ? [] : [{ path: 'review.md', text: review }]),
  ];
}
