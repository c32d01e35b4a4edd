/**
 * The table of lessons, in the order of the course. The page of lessons shows the one that its address names, and without
 * one its opening, on which all of them stand.
 */
import type { CourseLesson } from './course/props';

export interface LessonEntry {
  /** The address is `#/learn/name`. */
  readonly name: string;
  readonly title: string;
  /** The question that it answers. */
  readonly question: string;
  readonly load: () => Promise<CourseLesson>;
}

export const LESSONS: readonly LessonEntry[] = [
  {
    name: 'half-lives',
    title: 'Sixteen clocks in one channel',
    question: 'How long does a state remember, and what can be learned with it?',
    load: async () => (await import('./half_lives')).lesson,
  },
  {
    name: 'who-decides',
    title: 'Who decides what is remembered?',
    question: 'Which token writes a letter, which one forgets, and what if its clock stops?',
    load: async () => (await import('./who_decides')).lesson,
  },
  {
    name: 'backward',
    title: 'What the backward pass must remember',
    question: 'Which token feels an answer’s gradient, and which states must be kept for it?',
    load: async () => (await import('./backward')).lesson,
  },
  {
    name: 'zero-order-hold',
    title: 'The paper’s B̄ and the code’s',
    question: 'Mamba writes louder than its own formula. Does a trained model mind?',
    load: async () => (await import('./zero_order_hold')).lesson,
  },
  {
    name: 'convolution',
    title: 'Convolution or recurrence?',
    question: 'How much selection does it take to lose the fast convolution?',
    load: async () => (await import('./convolution')).lesson,
  },
  {
    name: 'scan-tree',
    title: 'A scan is a tree',
    question: 'In which order may tokens be joined, and what does the order cost?',
    load: async () => (await import('./scan_tree')).lesson,
  },
  {
    name: 'attention',
    title: 'The attention inside Mamba-2',
    question: 'Which matrix is a scan, and why does it take so few numbers?',
    load: async () => (await import('./attention')).lesson,
  },
  {
    name: 'look-ahead',
    title: 'Reading EEG in both directions',
    question: 'How long must a detector wait that reads the future?',
    load: async () => (await import('./look_ahead')).lesson,
  },
];

/** The place of the model that trains live, behind the page's part of the address. */
export const LIVE = 'mamba';
