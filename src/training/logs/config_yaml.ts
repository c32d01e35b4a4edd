/** The settings of a run as a configuration of the trainer. */
import { stringify } from 'yaml';
import { exportText } from '../../config/canonical';
import { withSchema } from '../../config/json_schema';
import { toTrainer } from '../config';
import type { EegSettings } from '../settings';

/**
 * As far as the trainer has keys for them, as text that all readers of YAML read alike. `path`: of the file, from the folder with
 * schema.json.
 */
export function configYaml(settings: EegSettings, path: string): string {
  const head = `# A run of Smokescan: its settings that the trainer has keys for; base channels were ${settings.model.baseChannels}.`;
  const { text } = exportText(`${head}\n${stringify(toTrainer(settings), { lineWidth: 0 })}`);
  return withSchema(text, path);
}
