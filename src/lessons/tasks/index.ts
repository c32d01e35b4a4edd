/** The sequence tasks by id. */
import { inductionHeads } from './induction_heads';
import { selectiveCopying } from './selective_copying';
import type { Task } from './task';

export const tasks = {
  selective_copying: selectiveCopying,
  induction_heads: inductionHeads,
} as const satisfies Readonly<Record<string, Task>>;
