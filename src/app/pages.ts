/** The table of pages. The router, the navigation, the titles and what stays open derive from it. */
import type { Component } from 'svelte';
import Detector from './pages/detector/Detector.svelte';
import type { Detector as DetectorState } from './pages/detector/detector.svelte';
import type { Detect as DetectState } from './pages/detect/detect.svelte';
import type { PageProps } from './ui/page';

/** What every page is given. */
export interface AppProps extends PageProps {
  /** The run that this tab trains, whichever page is looked at. */
  readonly detector: DetectorState;
  /** Detection with finished weights in the recordings of `detector`. */
  readonly detect: DetectState;
}

interface Loaded {
  readonly default: Component<AppProps>;
}

export interface AppPage {
  /** The address is `#/name`. Links to it are shared: a page that gets another name keeps leading there by its `formerly`. */
  readonly name: string;
  readonly formerly?: string;
  readonly label: string;
  readonly load: () => Loaded | Promise<Loaded>;
}

/** In the order of the navigation. The first opens where the address names none, so it is part of the first load. */
export const PAGES: readonly [AppPage, ...AppPage[]] = [
  { name: 'train', formerly: 'detector', label: 'Train', load: () => ({ default: Detector }) },
  { name: 'detect', label: 'Detect', load: () => import('./pages/detect/Detect.svelte') },
  { name: 'config', label: 'Config', load: () => import('./pages/config/Config.svelte') },
  { name: 'resources', formerly: 'fit', label: 'Resources', load: () => import('./pages/fit/Fit.svelte') },
  { name: 'runs', label: 'Runs', load: () => import('./pages/runs/Runs.svelte') },
  { name: 'learn', formerly: 'lesson', label: 'Learn', load: () => import('../lessons/Lessons.svelte') },
];
