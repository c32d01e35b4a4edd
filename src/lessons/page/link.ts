import { Link } from '../../app/ui/link';
import type { TrainingWorker } from '../loop/protocol';

/** To the worker of the lesson. */
export type LessonLink = Link<TrainingWorker>;

export const lessonLink = (): LessonLink =>
  new Link(() => new Worker(new URL('../loop/worker.ts', import.meta.url), { type: 'module' }));
