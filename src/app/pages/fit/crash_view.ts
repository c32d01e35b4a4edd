/** The replay of the review's crash beside the WSL2-safe settings. */
import type { Kill } from '../../../estimate/host_watch';
import { edgeOf, hostPicture, type HostPicture } from './host_picture';
import type { CrashReplay } from './worker';

export interface CrashView {
  readonly crash: HostPicture;
  readonly safe: HostPicture;
  readonly kill: Kill | null;
  /** RAM and swap, bytes. */
  readonly limit: number;
  readonly edge: number;
  /** Simulated seconds of the replay: the kill comes a little before its end. */
  readonly span: number;
  /** Within the span. */
  readonly safePeak: number;
}

export function crashView({ crash: run, safe: other }: CrashReplay): CrashView {
  const crash = hostPicture(run);
  const span = 1.15 * crash.seconds;
  const safe = hostPicture({ frames: other.frames.filter(({ seconds }) => seconds <= span) });
  return {
    crash,
    safe,
    kill: run.kill,
    limit: run.limitBytes,
    edge: edgeOf(run.limitBytes, crash, safe),
    span,
    safePeak: safe.peak,
  };
}
