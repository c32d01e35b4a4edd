import type { Snippet } from 'svelte';

/** What every field is given: its label, where that stands, and what is said of the value. */
export interface FieldProps {
  label: string | Snippet;
  /** `above` the control, `beside` it in a column of labels, or `inline` in a row of fields. */
  layout?: 'above' | 'beside' | 'inline';
  unit?: string | undefined;
  /** What the value is called where it is written, below the label. */
  name?: string | undefined;
  /** What the value means or does. */
  help?: string | Snippet | undefined;
  /** Why the value is rejected. */
  error?: string | undefined;
}

/** Attributes of the control, so that its label and its help are read with it. */
export interface ControlAttributes {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': 'true' | undefined;
}
