import type { Component } from 'svelte';
import type { LessonProps } from '../page/props';
import type { LessonPlan, LessonText, Measured, Settings } from './step';
import type { Language } from './text';

/** Of what may be tried with one's own hands. */
export interface ExploreProps {
  /** Asks the worker for one of the lesson's measures. */
  readonly measure: (name: string, settings: Settings) => Promise<Measured>;
}

/** A lesson of the course, whole. */
export interface CourseLesson {
  readonly plan: LessonPlan;
  /** English always; other languages where they are written. */
  readonly texts: Readonly<Partial<Record<Language, LessonText>> & { en: LessonText }>;
  /** What may be tried with one's own hands after the answer of a step, by its id. */
  readonly explore?: Readonly<Record<string, Component<ExploreProps> | Component>>;
}

export interface FrameProps extends LessonProps {
  readonly lesson: CourseLesson;
  /** Behind the page's part of the address: `name/step`. */
  readonly place: string;
}
