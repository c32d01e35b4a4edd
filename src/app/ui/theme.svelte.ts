import { recall, remember } from './stored';

export type Shade = 'light' | 'dark';

/** Light or dark: the system's preference until the person chooses, then their choice. */
export class Theme {
  shade = $state<Shade>('light');
  readonly #system = matchMedia('(prefers-color-scheme: dark)');
  #chosen: Shade | null;

  constructor() {
    const stored = recall('theme');
    this.#chosen = stored === 'light' || stored === 'dark' ? stored : null;
    this.#system.addEventListener('change', () => this.#apply());
    this.#apply();
  }

  toggle(): void {
    this.#chosen = this.shade === 'dark' ? 'light' : 'dark';
    remember('theme', this.#chosen);
    this.#apply();
  }

  #apply(): void {
    this.shade = this.#chosen ?? (this.#system.matches ? 'dark' : 'light');
    document.documentElement.dataset['theme'] = this.shade;
  }
}
