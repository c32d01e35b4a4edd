/** The settings of a run as a configuration of the trainer. */
import { stringify } from 'yaml';
import { exportText } from '../../config/canonical';
import { toTrainer } from '../config';
import type { EegSettings } from '../settings';

/** As far as the trainer has keys for them, as text that all readers of YAML read alike. */
export const configYaml = (settings: EegSettings): string =>
  exportText(
    `# A run of Smokescan: its settings that the trainer has keys for; base channels were ${settings.model.baseChannels}.\n${stringify(toTrainer(settings), { lineWidth: 0 })}`,
  ).text;
