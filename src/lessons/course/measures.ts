/** What computes the steps of each lesson, loaded by the worker when it is asked for. */
import type { Measures } from './step';

export const MEASURES: Readonly<Record<string, () => Promise<Measures>>> = {
  attention: async () => (await import('../attention/measure')).measures,
  'half-lives': async () => (await import('../half_lives/measure')).measures,
  backward: async () => (await import('../backward/measure')).measures,
  convolution: async () => (await import('../convolution/measure')).measures,
  'look-ahead': async () => (await import('../look_ahead/measure')).measures,
  'scan-tree': async () => (await import('../scan_tree/measure')).measures,
  'zero-order-hold': async () => (await import('../zero_order_hold/measure')).measures,
  'who-decides': async () => (await import('../who_decides/measure')).measures,
};
