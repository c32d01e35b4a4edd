import type { PageProps } from '../../app/ui/page';

/** What the page of a lesson is given. */
export type LessonProps = Omit<PageProps, 'place' | 'move'>;
