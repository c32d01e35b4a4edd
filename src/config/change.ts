/** One value that a file should have instead, and why: what fixes, derived variants and the form are made of. */
export interface Change {
  /** Names joined with dots. */
  readonly path: string;
  /** The value as YAML text on one line, as `8`, `"on"` or `[10, 5, 2.5, 1]`; undefined removes the key. */
  readonly value: string | undefined;
  /** A sentence part that says why, as “loaders hung under WSL2”. */
  readonly reason: string;
  /** The key that becomes this one, where possible in its place and with its comment. */
  readonly renames?: string;
  /** The key stands several times: only its last place is kept. */
  readonly once?: boolean;
}
