import type { CourseLesson } from '../course/props';
import { en } from './en';
import { plan } from './plan';

export const lesson: CourseLesson = { plan, texts: { en } };
