/**
 * The commands that start a run, in their order. They are the trainer's and the launcher's
 * (`python -m src …`, `deploy/modal/app.py`), read in their source at 2025-09-21, and those of Modal's own client.
 */
import { CORRECTED } from '../config/presets';
import type { Target } from '../config/targets';
import { localCommands } from './commands/local';
import { modalCommands } from './commands/modal';
import { factsOf, type Command, type NamedText } from './commands/steps';
import { commentText } from './shell';

export interface LaunchConfig extends NamedText {
  readonly target: Target;
  /** The configuration of the smoke run before it; left out: the preset of its machine. */
  readonly smoke?: NamedText | undefined;
}

/** The preset of a smoke run on Modal, or on a machine of one's own. */
export function smokePreset(modal: boolean): NamedText {
  const name = modal ? 'configs/modal/smoke_a100.yaml' : 'configs/local/smoke.yaml';
  const found = CORRECTED.find((preset) => preset.name === name);
  if (!found) throw new RangeError(`There is no preset ${name}.`);
  return found;
}

/**
 * The commands for a configuration on its target, in their order; none for the browser, where no command is needed. Throws a
 * RangeError with a sentence where the trainer rejects the file or a path cannot stand in a command.
 */
export function commandsFor({ smoke, ...config }: LaunchConfig): readonly Command[] {
  const { target } = config;
  if (target.name === 'browser') return [];
  const facts = factsOf(config, target);
  const modal = target.name === 'modal';
  const own = facts.isSmoke ? facts : factsOf(smoke ?? smokePreset(modal), target);
  return modal ? modalCommands(facts, own) : localCommands(facts, own);
}

/** All commands as a bash script whose arguments are the steps to run, in order. Throws as `commandsFor`. */
export function scriptFor(config: LaunchConfig): string {
  const commands = commandsFor(config);
  const usage = commands.map(({ id, purpose }) => `  ${id.padEnd(12)} ${purpose}`);
  const steps = commands.flatMap(({ id, text, caution }) => [
    `    ${id})`,
    ...(caution ? [`      # ${commentText(caution)}`] : []),
    `      ${text}`,
    '      ;;',
  ]);
  return [
    '#!/usr/bin/env bash',
    `# Runs ${commentText(config.name)} (${config.target.title}), from the trainer’s root.`,
    'set -euo pipefail',
    '',
    'if [[ $# -eq 0 ]]; then',
    "  cat >&2 <<'STEPS'",
    'Name the steps to run, in order:',
    ...usage,
    'STEPS',
    '  exit 2',
    'fi',
    '',
    'for step in "$@"; do',
    '  case "$step" in',
    ...steps,
    '    *)',
    '      printf \'Unknown step “%s”.\\n\' "$step" >&2',
    '      exit 2',
    '      ;;',
    '  esac',
    'done',
    '',
  ].join('\n');
}
