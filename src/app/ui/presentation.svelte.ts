import { recall, remember } from './stored';

const STORED = 'presentation';

/**
 * For projectors, the one mode of the app and of its lessons: larger type (app.css), one column, settings folded; a lesson has a
 * screen of its own instead, with notes for the teacher.
 */
class Presentation {
  on = $state(recall(STORED) === 'on');
  /** How many of what is shown size their own type. */
  #own = 0;

  constructor() {
    this.#apply();
  }

  toggle(): void {
    this.set(!this.on);
  }

  set(on: boolean): void {
    if (on === this.on) return;
    this.on = on;
    remember(STORED, on ? 'on' : 'off');
    this.#apply();
  }

  /** Leaves the size of type to what is shown, until the function that it returns is called. */
  own(): () => void {
    const add = (more: 1 | -1): void => {
      this.#own += more;
      this.#apply();
    };
    add(1);
    return () => add(-1);
  }

  #apply(): void {
    document.documentElement.toggleAttribute('data-presentation', this.on && this.#own === 0);
  }
}

export const presentation = new Presentation();
