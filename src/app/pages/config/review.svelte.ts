import { dayOf, several } from '../../../base/text';
import { startStoreWorker } from '../../../checkpoints/store_worker';
import { INCIDENTS } from '../../../config/incidents';
import { presetOf } from '../../../config/presets';
import type { SmokeEvidence } from '../../../handoff/evidence';
import { readSummary, type RunSummary } from '../../../training/run_record';
import type { Run } from '../../../checkpoints/run';
import type { OpenFile } from './open_file.svelte';
import type { ReviewRequest } from './reviewing';
import type { Workspace } from './workspace.svelte';

interface Tried {
  readonly id: string;
  readonly title: string;
  readonly evidence: Omit<SmokeEvidence, 'config'>;
}

/** What a person chooses for the review. */
export class Review {
  /** Ids of files. */
  before = $state<string | undefined>();
  left = $state.raw<readonly string[]>([]);
  preparedBy = $state('');
  withIncident = $state(true);
  /** Runs of this browser that can show that a configuration trains. */
  runs = $state.raw<readonly Tried[]>([]);
  run = $state('');
  /** Id of the file that the run was a trial of. */
  trialOf = $state('');

  constructor(private readonly work: Workspace) {}

  readonly #files = $derived.by(() => this.work.files);
  readonly base = $derived.by(() => {
    const known = this.#files.map(({ base }) => base).find((base) => base !== undefined);
    return (
      this.#files.find(({ id }) => id === this.before) ??
      this.#files.find(({ id }) => id === known) ??
      this.#files[0]
    );
  });
  readonly candidates = $derived.by(() => this.#files.filter((file) => file !== this.base));
  readonly after = $derived.by(() => this.candidates.filter(({ id }) => !this.left.includes(id)));
  /** The incident whose configuration the first file is. */
  readonly incident = $derived.by(() =>
    INCIDENTS.find((incident) => presetOf(incident, incident.config).text === this.base?.text),
  );

  include(file: OpenFile, chosen: boolean): void {
    this.left = chosen ? this.left.filter((id) => id !== file.id) : [...this.left, file.id];
  }

  /** Asks the store once for runs that could serve as evidence. */
  async findRuns(): Promise<void> {
    const { store, stop } = startStoreWorker();
    try {
      this.runs = (await store.runs()).flatMap((run) => triedOf(run, readSummary(run.summary)));
    } catch {
      // Without a store there are no runs, and the page of runs says so.
    } finally {
      stop();
    }
  }

  request(now = Date.now()): ReviewRequest | undefined {
    if (!this.base || this.after.length === 0) return undefined;
    const after = this.after.map((file) => this.work.comparedOf(file));
    const trial = this.after.find(({ id }) => id === this.trialOf) ?? this.after[0];
    const smoke = this.runs
      .filter(({ id }) => id === this.run)
      .map(({ evidence }) => ({ ...evidence, config: trial?.path ?? '' }));
    return {
      date: dayOf(now),
      preparedBy: this.preparedBy,
      before: this.work.comparedOf(this.base),
      after,
      incident: this.withIncident ? this.incident : undefined,
      smoke,
    };
  }
}

const recordings = (data: RunSummary['data']): string => {
  if (data === null) return 'recordings that are not known any more';
  return 'synthetic' in data ? 'synthetic recordings' : several(data.recordings, 'recording');
};

function triedOf(run: Run, summary: RunSummary | null): Tried[] {
  if (!summary || summary.losses.length === 0) return [];
  const { losses, seconds, settings, data, validations } = summary;
  const auroc = validations.at(-1)?.scores.auroc;
  const { baseChannels, layers } = settings.model;
  return [
    {
      id: run.id,
      title: `${run.name}, ${losses.length} steps`,
      evidence: {
        date: dayOf(run.created),
        device: run.device,
        steps: losses.length,
        secondsPerStep: seconds / losses.length,
        losses,
        ...(auroc !== undefined && Number.isFinite(auroc) && { auroc }),
        limits: `a training of the same detector in a browser, with base width ${baseChannels}, ${several(layers, 'layer')} and batches of ${settings.batch}, on ${recordings(data)}`,
      },
    },
  ];
}
