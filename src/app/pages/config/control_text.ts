import type { PyValue } from '../../../config/plain';
import { scalarText } from '../../../config/scalar';

/** As a control of the form shows it. */
export function controlText(value: PyValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  return scalarText(value).replace(/^\[(.*)\]$/s, '$1');
}
