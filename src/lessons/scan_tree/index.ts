import type { CourseLesson } from '../course/props';
import Bracket from './Bracket.svelte';
import { en } from './en';
import { plan } from './plan';

export const lesson: CourseLesson = { plan, texts: { en }, explore: { rounds: Bracket } };
