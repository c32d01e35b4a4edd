import { recall, remember } from '../../app/ui/stored';

/** What single keys do. */
export interface Actions {
  readonly run: { readonly active: boolean; togglePause(): void; stop(): void };
  restartWithNewSeed(): void;
}

/** Elements that have a use for letters themselves, and those that have one for the space bar too. */
const TYPING = 'input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable]';
const PRESSED_BY_SPACE = 'button, input, summary, a';

/** Space pauses and resumes, s stops, r restarts. Single keys can be turned off (WCAG 2.1.4). */
export class Shortcuts {
  on = $state(recall('shortcuts') !== 'off');
  readonly #actions: Actions;

  constructor(actions: Actions) {
    this.#actions = actions;
  }

  setOn(on: boolean): void {
    this.on = on;
    remember('shortcuts', on ? 'on' : 'off');
  }

  /** Handles a keydown of the window. */
  press(event: KeyboardEvent): void {
    const { key, target } = event;
    if (!this.on || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(target instanceof Element) || target.closest(`dialog, ${TYPING}`)) return;
    const { run } = this.#actions;
    if (key === ' ') {
      if (!run.active || target.closest(PRESSED_BY_SPACE)) return;
      run.togglePause();
    } else if (key === 's' || key === 'S') run.stop();
    else if (key === 'r' || key === 'R') this.#actions.restartWithNewSeed();
    else return;
    event.preventDefault();
  }
}
