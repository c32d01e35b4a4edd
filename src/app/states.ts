/** What the pages share that train and detect: loaded with the first page that needs it. */
import { Detect } from './pages/detect/detect.svelte';
import { Detector } from './pages/detector/detector.svelte';
import type { PageProps } from './ui/page';

export interface States {
  /** The run that this tab trains, whichever page is looked at. */
  readonly detector: Detector;
  /** Detection with finished weights in the recordings of `detector`. */
  readonly detect: Detect;
}

/** What every page but the opening one is given. */
export type AppProps = PageProps & States;

export function createStates(): States {
  const detector = new Detector();
  return { detector, detect: new Detect(detector) };
}
