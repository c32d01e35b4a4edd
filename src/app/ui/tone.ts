/**
 * What a colour says: something to notice, that all is well, or one of three weights of a problem. app.css gives each its
 * colour as `--tone`, in light and dark.
 */
export type Tone = 'accent' | 'good' | 'caution' | 'serious' | 'fatal' | 'muted';
