/** The replay of an incident beside the configuration that it puts instead. */
import type { Kill } from '../../../estimate/ram_watch';
import { edgeOf, ramPicture, type RamPicture } from './ram_view';
import type { Crash } from '../../../config/incidents';
import { incidentSettings, type IncidentReplay } from '../../../estimate/incident';

export interface CrashView {
  readonly crash: RamPicture;
  /** The run that was killed, and the one instead. */
  readonly pictures: readonly {
    readonly picture: RamPicture;
    readonly title: string;
    readonly kill: Kill | null;
  }[];
  readonly kill: Kill | null;
  /** RAM and swap, bytes. */
  readonly limit: number;
  readonly edge: number;
  /** Simulated seconds of the replay: the kill comes a little before its end. */
  readonly span: number;
  /** Within the span. */
  readonly insteadPeak: number;
}

export function crashView(incident: Crash, { crash: run, instead: other }: IncidentReplay): CrashView {
  const crash = ramPicture(run);
  const span = 1.15 * crash.seconds;
  const instead = ramPicture({ frames: other.frames.filter(({ seconds }) => seconds <= span) });
  return {
    crash,
    pictures: [
      { picture: crash, title: `Original: ${titleOf(incident, incident.config)}`, kill: run.kill },
      {
        picture: instead,
        title: `${incident.replay.instead.title}: ${titleOf(incident, incident.replay.instead.config)}, same seed`,
        kill: null,
      },
    ],
    kill: run.kill,
    limit: run.limitBytes,
    edge: edgeOf(run.limitBytes, crash, instead),
    span,
    insteadPeak: instead.peak,
  };
}

/** “batch 16, 4 workers”: of a configuration that the incident names. */
export function titleOf(incident: Crash, config: string): string {
  const { batch, workers } = incidentSettings(incident, config).loader;
  return `batch ${batch}, ${workers === 0 ? 'no workers' : `${workers} ${workers === 1 ? 'worker' : 'workers'}`}`;
}
