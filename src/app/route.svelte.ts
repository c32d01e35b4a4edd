/** The part of the address behind `#/`, which says what page is shown. */
export const PAGES = ['detector', 'config', 'fit', 'runs', 'lesson'] as const;
export type PageName = (typeof PAGES)[number];

const named = (): PageName => PAGES.find((page) => `#/${page}` === location.hash.split('?')[0]) ?? 'detector';

export class Route {
  page = $state<PageName>(named());

  constructor() {
    window.addEventListener('hashchange', () => (this.page = named()));
  }
}
