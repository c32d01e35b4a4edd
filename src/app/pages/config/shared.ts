import { Workspace } from './workspace.svelte';

let shared: Workspace | undefined;

/** The open files, the same for every page that shows them; those of the last visit are looked for at the first call. */
export function workspace(): Workspace {
  if (!shared) {
    shared = new Workspace();
    void shared.start();
  }
  return shared;
}
