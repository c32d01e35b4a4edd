/** What can be asked the other way round. */
export const QUESTIONS = {
  batch: 'the largest batch for the card',
  layers: 'the most Mamba layers for the card',
  workers: 'the most workers for the RAM',
  gpu: 'the smallest card that fits',
  plan: 'the cheapest plan within the deadline',
} as const;
export type QuestionName = keyof typeof QUESTIONS;
export const QUESTION_NAMES = Object.keys(QUESTIONS) as QuestionName[];

export interface Asked {
  readonly name: QuestionName;
  /** Hours. */
  readonly deadline: number;
}
