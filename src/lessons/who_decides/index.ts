import type { CourseLesson } from '../course/props';
import { en } from './en';
import { plan } from './plan';
import TokenToggles from './TokenToggles.svelte';

export const lesson: CourseLesson = {
  plan,
  texts: { en },
  explore: { write: TokenToggles, clock: TokenToggles, forget: TokenToggles },
};
