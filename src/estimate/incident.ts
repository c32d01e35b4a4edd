/**
 * The run of an incident, simulated. An incident tells what was killed and when, not why; so it names several mechanisms, and
 * each is simulated with what the configuration and the machine say and ranges for what they leave open.
 */
import { GIB } from '../base/units';
import type { Crash } from '../config/incidents';
import { presetOf } from '../config/presets';
import { readConfig } from '../config/settings';
import { exactly, quantity, type Quantity } from '../base/quantity';
import { machineOf, settingsFrom, type RunSettings } from './from_config';
import { CORPUS_LENGTHS, MAIN_BYTES } from './ram_facts';
import type { RamEnsemble } from './oom_odds';
import { RamSimulator, type RamOptions, type RamRun } from './ram_simulator';
import { stepsPerEpoch } from './time';

export interface Mechanism {
  readonly id: string;
  readonly title: string;
  /** What it assumes, and what speaks for and against it. */
  readonly account: string;
  readonly options: RamOptions;
}

/** Of the whole corpus, from its first batch, with every mechanism that the incident names, in its order. */
export function mechanismsOf(incident: Crash): readonly Mechanism[] {
  return incident.replay.mechanisms.map((mechanism) => {
    const { id, title, account } = mechanism;
    return { id, title, account, options: optionsOf(incident, incident.config, mechanism) };
  });
}

/** The run that is replayed: the mechanism under which such a kill is most likely. */
export const replayedRun = (incident: Crash): RamOptions =>
  optionsOf(incident, incident.config, replayedMechanism(incident));

/**
 * The configuration that the incident puts beside it, under the same mechanism and on the same machine.
 * Exported for its tests.
 */
export const insteadRun = (incident: Crash): RamOptions =>
  optionsOf(incident, incident.replay.instead.config, replayedMechanism(incident));

type MechanismData = Crash['replay']['mechanisms'][number];

const replayedMechanism = ({ replay }: Crash): MechanismData =>
  replay.mechanisms.find(({ id }) => id === replay.replayed) as MechanismData;

function optionsOf(incident: Crash, config: string, mechanism: MechanismData): RamOptions {
  const { place, ramGiB } = incident.machine;
  const { loader, windows } = incidentSettings(incident, config);
  const batches = stepsPerEpoch(windows.training, loader.batch);
  return {
    ...loader,
    machine: machineOf(place, ramGiB * GIB),
    main: MAIN_BYTES,
    recordings: CORPUS_LENGTHS,
    arraysStay: mechanism.arraysStay,
    heapKeeps: heapOf(mechanism),
    stepSeconds: (3600 * incident.replay.hoursPerEpoch) / batches,
    batches,
    afterFirstEpoch: false,
  };
}

/** Settings of a configuration that the incident names, on its machine. */
export function incidentSettings(incident: Crash, config: string): RunSettings {
  const { settings } = readConfig(presetOf(incident, config).text);
  return settingsFrom(settings, config, incident.machine.place);
}

function heapOf({ heapKeeps, title }: MechanismData): Quantity {
  return typeof heapKeeps === 'number'
    ? exactly(heapKeeps, 'assumed', title)
    : quantity(heapKeeps, 'assumed', title);
}

export interface IncidentReplay {
  /** Id of the incident. */
  readonly incident: string;
  readonly seed: number;
  /** Seeds that were tried. */
  readonly of: number;
  readonly killed: number;
  readonly crash: RamRun;
  /** The other configuration on the same seed, for as many windows. */
  readonly instead: RamRun;
}

/**
 * The run of `ensemble`, which is of `replayedRun`, that is killed most like the incident's, and the other configuration on
 * its seed, both with at most `frames` frames; null where no run is killed.
 */
export function replayIncident(
  incident: Crash,
  ensemble: RamEnsemble,
  frames: number,
): IncidentReplay | null {
  const seed = nearestSeed(incident, ensemble);
  if (seed === undefined) return null;
  const crash = ensemble.simulator.train(seed, frames);
  const other = insteadRun(incident);
  const windows = (crash.kill?.batch ?? 0) * ensemble.options.batch;
  const batches = Math.max(1, Math.ceil(windows / other.batch));
  return {
    incident: incident.id,
    seed,
    of: ensemble.runs.length,
    killed: ensemble.odds().batches.length,
    crash,
    instead: new RamSimulator({ ...other, batches }).train(seed, frames),
  };
}

/** A seed whose run is killed nearest to the incident's batch, by the ratio of their numbers. Exported for its tests. */
export function nearestSeed({ killed }: Crash, { runs }: RamEnsemble): number | undefined {
  const away = (batch: number): number => Math.abs(Math.log((batch + 1) / (killed.afterBatches + 1)));
  const kills = runs.flatMap(({ seed, kill }) =>
    kill?.cause === 'oom' ? [{ seed, batch: kill.batch }] : [],
  );
  return kills.sort((a, b) => away(a.batch) - away(b.batch))[0]?.seed;
}
