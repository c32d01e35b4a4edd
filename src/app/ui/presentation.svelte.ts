import { recall, remember } from './stored';

const STORED = 'presentation';

/** For projectors: larger type (app.css), one column, settings folded. */
class Presentation {
  on = $state(recall(STORED) === 'on');

  constructor() {
    this.#apply();
  }

  toggle(): void {
    this.on = !this.on;
    remember(STORED, this.on ? 'on' : 'off');
    this.#apply();
  }

  #apply(): void {
    document.documentElement.toggleAttribute('data-presentation', this.on);
  }
}

export const presentation = new Presentation();
