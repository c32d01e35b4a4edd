/** What leaves with commands and review: texts that PyYAML and YAML 1.2 read alike. */
import type { BundledConfig } from '../../../production/bundle';
import { exportText } from '../../../production/canonical';
import { readConfig } from '../../../production/pyyaml';

/** A file that nobody can read goes along as it is. Throws EditError where a text cannot be written for all readers. */
export const forAllReaders = (config: BundledConfig): BundledConfig =>
  readConfig(config.text).value === undefined ? config : { ...config, text: exportText(config.text).text };
