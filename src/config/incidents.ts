/**
 * What is known of runs that failed: configs/incidents/*.json, a file for each. Rooms that say something of an incident – its
 * replay, its figures beside predictions, its review document – read it from here; another incident is another file.
 */
import * as z from 'zod';
import { BASES, type Quantity } from '../base/quantity';
import { SOURCES, type SourceId } from './facts';

// The page's policy forbids code made of texts.
z.config({ jitless: true });

const text = z.string().min(1);
const optional = z.exactOptional(text);

const basis = z.enum(BASES);

/** One of the documents that several places quote, by its name in SOURCES. */
const from = z.enum(Object.keys(SOURCES) as [SourceId, ...SourceId[]]);

const quoted = <T extends { readonly from: SourceId }>({ from, ...rest }: T) => ({
  ...rest,
  basis: SOURCES[from].basis,
  source: SOURCES[from].text,
});

/** A number with its range, if it has one; its source is a clause: which document, formula or measurement, and its date. */
const numbers = {
  likely: z.number(),
  low: z.exactOptional(z.number()),
  high: z.exactOptional(z.number()),
};
const figure = z
  .union([
    z.strictObject({ ...numbers, basis, source: text }),
    z.strictObject({ ...numbers, from }).transform(quoted),
  ])
  .transform(({ likely, low = likely, high = likely, ...known }): Quantity => ({
    low,
    likely,
    high,
    ...known,
  }))
  .refine(({ low, likely, high }) => low <= likely && likely <= high, 'low ≤ likely ≤ high has to hold');

/** One way to run it, and what that takes. */
const cost = z.strictObject({
  title: text,
  epochs: z.int().positive(),
  hoursPerEpoch: figure,
  /** For everything that is paid by the hour. */
  dollarsPerHour: figure,
  /** On Modal a job ends after a day. */
  place: z.enum(['local', 'modal']),
  /** If early stopping ends it, in dollars. */
  stoppedEarly: z.exactOptional(
    z.strictObject({ low: z.number(), high: z.number(), from }).transform(quoted),
  ),
});

/** Something that an earlier document claimed, and what is known of it now. */
const statement = z.strictObject({
  /** The section of the review that it belongs to. */
  section: z.enum([
    'cause',
    'changes',
    'deployment',
    'cost',
    'risks',
    'recommendations',
    'commands',
    'checklist',
  ]),
  said: text,
  state: z.enum(['holds', 'corrected', 'open']),
  found: text,
});

/** A risk that no rule finds in a file. */
const risk = z.strictObject({
  level: z.enum(['high', 'medium', 'low']),
  risk: text,
  state: z.enum(['fixed', 'open', 'accepted']),
  note: text,
});

/** A line of a checklist. */
const check = z.strictObject({
  text,
  verified: z.boolean(),
  /** How it was verified, or how it can be. */
  by: text,
});

/** What the earlier document says of a configuration. */
const claim = z.strictObject({
  /** What became of it, as “crashes under WSL2”. */
  outcome: text,
  /** Memory in decimal gigabytes, as the document estimates it. */
  claimedGB: z.exactOptional(z.number().positive()),
  /** What one should know of that estimate. */
  note: optional,
});

const configClaim = z.strictObject({ config: text, ...claim.shape });

/** A cause that the simulated loader can have. */
const mechanism = z.strictObject({
  id: text,
  title: text,
  /** What it assumes, and what speaks for and against it. */
  account: text,
  /** Share of runs in which a window keeps its recording until its batch is put together. */
  arraysStay: z.number().min(0).max(1),
  /** Share of its largest batch that a process does not give back; three numbers are a range: low, likely, high. */
  heapKeeps: z.union([z.number().min(0).max(1), z.tuple([z.number(), z.number(), z.number()])]),
});

const incident = z.strictObject({
  /** Day of the incident, which names its file. */
  id: text,
  /** As “2025-01-19 16:43 UTC”. */
  date: text,
  /** Which document or log, and its date. */
  source: text,
  machine: z.strictObject({
    description: text,
    place: z.enum(['local', 'wsl2', 'modal']),
    ramGiB: z.number().positive(),
  }),
  /** Path of the configuration that ran; its settings are read there. */
  config: text,
  killed: z.strictObject({
    /** What was killed, as the log names it. */
    process: text,
    /** Its memory then, as “11.3 GB virtual”. */
    memory: optional,
    afterBatches: z.int().nonnegative(),
  }),
  /** What happened, in a sentence without its point. */
  cause: text,
  lost: text,
  /** Sentences on what led to it and what did not, each with what was measured, derived or assumed. */
  factors: z.array(text).min(1),
  /** How it is simulated. */
  replay: z.strictObject({
    hoursPerEpoch: z.number().positive(),
    /** From what is known to be there to what the kill needs. */
    mechanisms: z.array(mechanism).min(1),
    /** Id of the mechanism under which such a kill is most likely. */
    replayed: text,
    /** A configuration that is replayed beside it, on the same machine and seed. */
    instead: z.strictObject({
      config: text,
      title: text,
      /** What its changes do; a sentence. */
      effect: text,
    }),
  }),
  /** Configurations as they were then; they are presets to learn from. */
  files: z.array(
    z.strictObject({
      name: text,
      title: text,
      purpose: text,
      description: text,
      target: z.enum(['local', 'wsl2', 'modal']),
    }),
  ),
  /** The document about it, made again with what is known now. */
  review: z.strictObject({
    title: text,
    goal: text,
    /** Of the configuration that ran. */
    before: claim,
    /** What is to be signed. */
    after: z.array(configClaim).min(1),
    /** Shown in the comparison besides. */
    others: z.array(configClaim),
    /** Sentences about the data, each with its source. */
    data: z.array(text),
    costs: z.array(cost),
    statements: z.array(statement),
    risks: z.array(risk),
    checks: z.array(check),
    /** Why a setting was changed, by path, where neither a variant nor a rule says so. */
    reasons: z.record(z.string(), text),
  }),
});

export type Cost = z.infer<typeof cost>;
export type Statement = z.infer<typeof statement>;
export type Risk = z.infer<typeof risk>;
export type Check = z.infer<typeof check>;
export type Claim = z.infer<typeof claim>;
type Data = z.infer<typeof incident>;

export interface IncidentFile extends Readonly<Data['files'][number]> {
  readonly text: string;
}

export interface Incident extends Readonly<Omit<Data, 'files'>> {
  readonly files: readonly IncidentFile[];
}

/** What the replay of a crash takes of an incident. */
export type Crash = Pick<Incident, 'id' | 'machine' | 'config' | 'killed' | 'replay' | 'files'>;

/**
 * An incident of its JSON and of the texts of configurations by path. Throws RangeError with a sentence that names the place
 * in the file where something is missing or unknown. Exported for its tests.
 */
export function readIncident(data: unknown, texts: Readonly<Record<string, string>>): Incident {
  const read = incident.safeParse(data);
  if (!read.success) throw new RangeError(`The incident cannot be read: ${z.prettifyError(read.error)}`);
  const { files, ...known } = read.data;
  const { mechanisms, replayed } = known.replay;
  if (!mechanisms.some(({ id }) => id === replayed))
    throw new RangeError(`The incident ${known.id} has no mechanism ${replayed} to replay.`);
  return {
    ...known,
    files: files.map((file) => {
      const text = texts[file.name];
      if (text === undefined)
        throw new RangeError(`The incident ${known.id} has a file ${file.name} that is not there.`);
      return { ...file, text };
    }),
  };
}

/** Texts of the configurations in this repository, by path such as `configs/local/train.yaml`. */
export const CONFIG_TEXTS: Readonly<Record<string, string>> = fromRoot(
  import.meta.glob<string>('../../configs/**/*.yaml', { query: '?raw', import: 'default', eager: true }),
);

/** In order of their days; pages open with the first. */
export const INCIDENTS = inOrder(
  fromRoot(import.meta.glob('../../configs/incidents/*.json', { import: 'default', eager: true })),
);

/** The first incident on such a machine. Throws RangeError where there is none. */
export function firstOn(place: Incident['machine']['place']): Incident {
  const found = INCIDENTS.find(({ machine }) => machine.place === place);
  if (!found) throw new RangeError(`configs/incidents has no incident on ${place}.`);
  return found;
}

function inOrder(files: Readonly<Record<string, unknown>>): readonly [Incident, ...Incident[]] {
  const [first, ...others] = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, data]) => readIncident(data, CONFIG_TEXTS));
  if (!first) throw new RangeError('configs/incidents has no incident.');
  return [first, ...others];
}

function fromRoot<T>(files: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(files).map(([path, file]) => [path.replace('../../', ''), file]));
}
