/** A crash that a person describes, replayed with the mechanisms of an incident: what was killed and when, and what Linux wrote. */
import { several } from '../base/text';
import { applyChanges } from '../config/edit';
import type { Crash } from '../config/incidents';
import { scalarText } from '../config/scalar';
import type { Platform } from '../config/targets';

export interface OwnCrash {
  readonly place: Platform;
  readonly ramGiB: number;
  readonly batch: number;
  readonly workers: number;
  /** Batches that were done when it was killed. */
  readonly afterBatches: number;
}

const CONFIG = 'configs/own.yaml';
const INSTEAD = 'configs/own_instead.yaml';

/**
 * The crash of a run of a configuration's text, with the mechanisms of another. `hoursPerEpoch`: what the GPU takes. Beside it
 * runs the same without workers, or where there were none with half the batch. Throws EditError where the text cannot have
 * these settings.
 */
export function ownCrash(own: OwnCrash, text: string, hoursPerEpoch: number, like: Crash): Crash {
  const { place, ramGiB, batch, workers, afterBatches } = own;
  const { mechanisms, replayed } = like.replay;
  const withSettings = (settings: Readonly<Record<string, boolean | number>>): string =>
    applyChanges(
      text,
      Object.entries(settings).map(([path, value]) => ({ path, value: scalarText(value), reason: '' })),
    );
  const crashed = { 'training.batch_size': batch, 'data.num_workers': workers };
  const half = Math.max(1, Math.floor(batch / 2));
  const instead =
    workers > 0
      ? { ...crashed, 'data.num_workers': 0, 'data.persistent_workers': false }
      : { ...crashed, 'training.batch_size': half };
  const file = (name: string, settings: Readonly<Record<string, boolean | number>>) => ({
    ...({ title: name, purpose: name, description: name, target: place } as const),
    name,
    text: withSettings(settings),
  });
  return {
    id: ['own', place, ramGiB, batch, workers, afterBatches].join(' '),
    machine: { description: `${ramGiB} GiB of RAM`, place, ramGiB },
    config: CONFIG,
    killed: { process: 'the process', afterBatches },
    files: [file(CONFIG, crashed), file(INSTEAD, instead)],
    replay: {
      hoursPerEpoch,
      mechanisms,
      replayed,
      instead: {
        config: INSTEAD,
        title: workers > 0 ? 'Without workers' : 'Half the batch',
        effect:
          workers > 0
            ? `Without workers one process loads data instead of ${several(workers + 1, 'process')}.`
            : `A batch of ${half} keeps half as many recordings in memory.`,
      },
    },
  };
}

/** What Linux wrote of an OOM kill; each undefined where the text does not have it. */
export interface OomLog {
  /** As “python (pid 794619)”. */
  readonly process: string;
  /** Bytes that the process had mapped, and had in RAM. */
  readonly virtual: number | undefined;
  readonly resident: number | undefined;
  /** Bytes of RAM of the machine. */
  readonly ram: number | undefined;
  /** Batches that a progress bar of the trainer says were done. */
  readonly afterBatches: number | undefined;
}

const PAGE_BYTES = 4096;
const MAX_LOG = 1_000_000;

/**
 * Reads the lines of dmesg or journalctl about an OOM kill (mm/oom_kill.c: “Out of memory: Killed process PID (NAME)
 * total-vm:…kB, anon-rss:…kB”), and of the trainer’s progress. Of several kills the last. Undefined where no kill is in it.
 */
export function readOomLog(text: string): OomLog | undefined {
  const log = text.slice(-MAX_LOG);
  const [kill] = [
    ...log.matchAll(/killed process (\d{1,10})(?:,? uid \d+)?,? \(([^)\n]{1,64})\)([^\n]*)/gi),
  ].slice(-1);
  const worker = /DataLoader worker \(pid\(?s?\)? ?(\d{1,10})\)/i.exec(log);
  if (!kill && !worker) return undefined;
  const about = kill?.[3] ?? '';
  const kilobytes = (name: string): number | undefined => {
    const found = new RegExp(`${name}:\\s*(\\d{1,15})\\s*kB`).exec(about)?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  };
  const pages = /(\d{1,12}) pages RAM/.exec(log)?.[1];
  const [progress] = [...log.matchAll(/\b(\d{1,7})\/\d{1,7} \[/g)].slice(-1);
  const rss = ['anon-rss', 'file-rss', 'shmem-rss'].map(kilobytes).filter((part) => part !== undefined);
  return {
    process: kill ? `${kill[2]} (pid ${kill[1]})` : `a DataLoader worker (pid ${worker?.[1]})`,
    virtual: kilobytes('total-vm'),
    resident: rss.length > 0 ? rss.reduce((sum, part) => sum + part, 0) : undefined,
    ram: pages === undefined ? undefined : Number(pages) * PAGE_BYTES,
    afterBatches: progress === undefined ? undefined : Number(progress[1]),
  };
}
