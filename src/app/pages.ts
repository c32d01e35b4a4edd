/** The table of pages. The router, the navigation, the titles and what stays open derive from it. */
import type { Component, ComponentProps } from 'svelte';
import Demo from './pages/demo/Demo.svelte';
import type { AppProps } from './states';

interface Named {
  /** The address is `#/name`. Links to it are shared: a page that gets another name keeps leading there by its `formerly`. */
  readonly name: string;
  readonly formerly?: string;
  readonly label: string;
  /** Whether what follows `?` in the address belongs to its place, and stays there; else the page reads it once. */
  readonly queried?: boolean;
}

interface OpeningPage extends Named {
  /** It is part of the first load, and needs nothing that trains. */
  readonly opening: Component<ComponentProps<typeof Demo>>;
}

interface LaterPage extends Named {
  readonly opening?: undefined;
  readonly load: () => Promise<{ readonly default: Component<AppProps> }>;
}

export type AppPage = OpeningPage | LaterPage;

/** In the order of the navigation. The first opens where the address names none. */
export const PAGES: readonly [OpeningPage, ...LaterPage[]] = [
  { name: 'demo', label: 'Demo', opening: Demo },
  {
    name: 'train',
    formerly: 'detector',
    label: 'Train',
    load: () => import('./pages/detector/Detector.svelte'),
  },
  { name: 'detect', label: 'Detect', load: () => import('./pages/detect/Detect.svelte') },
  { name: 'config', label: 'Config', load: () => import('./pages/config/Config.svelte') },
  {
    name: 'resources',
    formerly: 'fit',
    label: 'Resources',
    queried: true,
    load: () => import('./pages/fit/Fit.svelte'),
  },
  { name: 'runs', label: 'Runs', load: () => import('./pages/runs/Runs.svelte') },
  { name: 'learn', formerly: 'lesson', label: 'Learn', load: () => import('../lessons/Lessons.svelte') },
];
