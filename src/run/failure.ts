/** From whatever was thrown to what the page shows: what happened, where, and what to do next. */
import { capital, messageOf, visible } from '../base/text';
import { DataError } from '../eeg/errors';
import { EngineError, type EngineErrorKind } from '../engine/device';
import { GraphError } from '../engine/graph';
import type { Failure } from './protocol';

/** Settings that name no run: an unknown task or preset, sizes that no sequence has. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** The loss or the gradient is no finite number any more. */
export class NotFiniteError extends Error {
  override name = 'NotFiniteError';
}

/** Whether an error says that the GPU was lost. */
export const isLost = (error: unknown): boolean =>
  error instanceof EngineError && error.kind === 'device-lost';

/** Whether a run failed because the GPU is gone, so that it was interrupted and can be resumed as it is. */
export const wasInterrupted = ({ kind }: Failure): boolean => kind === 'device-lost' || kind === 'held-back';

type FailureKind = EngineErrorKind | 'graph' | 'settings' | 'data' | 'not-finite' | 'unexpected';

const REPORT =
  'It is a fault of this program or of the graphics driver. Update the browser and the driver; if it comes again, report it with this message.';

const ADVICE = {
  unsupported:
    'Use a current browser with WebGPU, switch on hardware acceleration in its settings, and update the graphics driver.',
  compilation: REPORT,
  validation: REPORT,
  'out-of-memory':
    'Choose a smaller preset, or close other tabs and programs that use the GPU, and start again.',
  internal: `Reload the page and start again. ${REPORT}`,
  'device-lost':
    'The weights of this run were on the GPU and are gone. Start again; where the browser holds the GPU back, it is waited for. If the GPU is lost again at the same place, choose a smaller preset.',
  'held-back': 'Close all windows of this browser and open it again.',
  graph: 'Choose a smaller preset: this model does not fit the limits of this GPU.',
  settings: 'Choose one of the tasks and presets that are listed.',
  data: 'Mend that, or choose other recordings, and start again.',
  'not-finite':
    'Start again with another seed. If it happens with every seed, this GPU computes wrongly: try another browser.',
  unexpected: 'Reload the page and start again. If it comes again, report it with this message.',
} as const satisfies Readonly<Record<FailureKind, string>>;

function kindOf(error: unknown): FailureKind {
  if (error instanceof EngineError) return error.kind;
  if (error instanceof GraphError) return 'graph';
  if (error instanceof SettingsError) return 'settings';
  if (error instanceof DataError) return 'data';
  if (error instanceof NotFiniteError) return 'not-finite';
  return 'unexpected';
}

/** A clause as a sentence: its first letter large, a point at its end where it has none. */
export function sentence(text: string): string {
  return ended(capital(text));
}

const ended = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** Better advice than for any training on a page. */
export type Advice = Readonly<Partial<Record<FailureKind, string>>>;

/** What was thrown, anything at all, as kind, message and advice; `advice` takes the place of the usual one of its kind. */
export function toFailure(error: unknown, advice: Advice = {}): Failure {
  const kind = kindOf(error);
  return {
    kind,
    // The name of a file stays as it is.
    message: (kind === 'data' ? ended : sentence)(visible(messageOf(error))),
    advice: advice[kind] ?? ADVICE[kind],
  };
}
