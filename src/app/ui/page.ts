import type { DroppedFile } from './dropped';
import type { Theme } from './theme.svelte';

/** What a page is given, whatever it is about. */
export interface PageProps {
  /** Whether the page is looked at; others stay as they are, and what they train continues. */
  readonly shown: boolean;
  /** What the address says behind `#/name/`; empty where it says nothing. */
  readonly place: string;
  /** Says another place in the address, so that a link leads there. */
  readonly move: (place: string) => void;
  readonly theme: Theme;
  /** Files that were dropped for it; others each time. */
  readonly given: readonly DroppedFile[];
  /** Puts what the page is about now before its label in the window's title; undefined takes that back. */
  readonly entitle: (about: string | undefined) => void;
}
