/** The table of lessons. The page of lessons shows the one that its address names, and a choice where there are several. */
import type { Component } from 'svelte';
import type { LessonProps } from './page/props';

interface Loaded {
  readonly default: Component<LessonProps>;
}

export interface LessonEntry {
  /** The address is `#/learn/name`; that of the first is also `#/learn`. */
  readonly name: string;
  readonly title: string;
  readonly load: () => Promise<Loaded>;
}

export const LESSONS: readonly [LessonEntry, ...LessonEntry[]] = [
  { name: 'mamba', title: 'Selective state spaces', load: () => import('./page/MambaLesson.svelte') },
];
