import { PAGES, type AppPage } from './pages';
import type { DroppedFile } from './ui/dropped';

/** A page that was opened. It stays, so that what it trains continues while another is looked at. */
class OpenedPage {
  readonly page: AppPage;
  /** What was dropped for it last. */
  given = $state.raw<readonly DroppedFile[]>([]);
  /** What the address says behind the page's name, or said when the page was looked at last. */
  place = $state('');
  /** What the page is about now, for the title. */
  about = $state<string | undefined>();

  constructor(
    page: AppPage,
    /** Whether it is looked at, so that the address is its own. */
    private readonly isShown: (page: OpenedPage) => boolean,
  ) {
    this.page = page;
  }

  get title(): string {
    return [this.about, this.page.label, 'Smokescan'].filter(Boolean).join(' · ');
  }

  /** What leads to the page as it was left. */
  get address(): string {
    return `#/${[this.page.name, this.place].filter(Boolean).join('/')}`;
  }

  readonly move = (place: string): void => {
    this.place = place;
    if (this.isShown(this)) history.replaceState(null, '', this.address);
  };

  readonly entitle = (about: string | undefined): void => void (this.about = about);
}

/**
 * The page that the address names, `#/name/place?query`, and those that were opened before. The first page of the table
 * has the empty address too; a query belongs to the page's place, or is the page's own to read.
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

  /** Where a link to a page leads: to the page as it was left. */
  addressOf(page: AppPage): string {
    return this.opened.find((one) => one.page === page)?.address ?? `#/${page.name}`;
  }

  #go(): void {
    const [address = '', ...query] = location.hash.slice(1).split('?');
    const [name, ...place] = address.replace(/^\//, '').split('/');
    const page = name ? PAGES.find((one) => one.name === name || one.formerly === name) : PAGES[0];
    this.address = address;
    this.shown = page && this.#open(page);
    if (!this.shown) return;
    const [own, other] = page?.queried ? [query, []] : [[], query];
    this.shown.place = [place.join('/'), ...own].join('?');
    if (name && name !== page?.name) history.replaceState(null, '', [this.shown.address, ...other].join('?'));
  }

  #open(page: AppPage): OpenedPage {
    const before = this.opened.find((one) => one.page === page);
    if (before) return before;
    const opened = new OpenedPage(page, (one) => one === this.shown);
    this.opened = [...this.opened, opened];
    return opened;
  }
}
