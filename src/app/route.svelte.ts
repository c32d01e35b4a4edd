import { PAGES, type AppPage } from './pages';
import type { DroppedFile } from './ui/dropped';

/** A page that was opened. It stays, so that what it trains continues while another is looked at. */
class OpenedPage {
  readonly page: AppPage;
  /** What was dropped for it last. */
  given = $state.raw<readonly DroppedFile[]>([]);
  /** What the address said behind the page's name when it was looked at last. */
  place = $state('');
  /** What the page is about now, for the title. */
  about = $state<string | undefined>();

  constructor(page: AppPage) {
    this.page = page;
  }

  get title(): string {
    return [this.about, this.page.label, 'Smokescan'].filter(Boolean).join(' · ');
  }

  readonly entitle = (about: string | undefined): void => void (this.about = about);
}

/**
 * The page that the address names, `#/name/place?query`, and those that were opened before. The first page of the table
 * has the empty address too; a query is the page's own to read.
 */
export class Route {
  opened = $state.raw<readonly OpenedPage[]>([]);
  /** undefined where the address names no page. */
  shown = $state.raw<OpenedPage | undefined>();
  /** The address behind `#`, without a query. */
  address = $state('');

  constructor() {
    window.addEventListener('hashchange', () => this.#go());
    this.#go();
  }

  /** Hands files to a page, which is opened for that where it is not. */
  give(name: string, files: readonly DroppedFile[]): void {
    const page = PAGES.find((one) => one.name === name);
    if (page) this.#open(page).given = files;
  }

  #go(): void {
    this.address = location.hash.slice(1).replace(/\?.*$/s, '');
    const [name, ...place] = this.address.replace(/^\//, '').split('/');
    const page = name ? PAGES.find((one) => one.name === name) : PAGES[0];
    this.shown = page && this.#open(page);
    if (this.shown) this.shown.place = place.join('/');
  }

  #open(page: AppPage): OpenedPage {
    const before = this.opened.find((one) => one.page === page);
    if (before) return before;
    const opened = new OpenedPage(page);
    this.opened = [...this.opened, opened];
    return opened;
  }
}
