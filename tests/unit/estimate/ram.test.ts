import { GIB, MIB } from '../../../src/base/units';
import { describe, expect, test } from 'vitest';
import { CORPUS, DOCKER_SHM_BYTES, WINDOW_BYTES } from '../../../src/config/facts';
import {
  CACHED_WINDOW_BYTES,
  CORPUS_LENGTHS,
  decompressSeconds,
  MAIN_BYTES,
  OTHER_BYTES,
  validationBytes,
  WHOLE_HEAP_RETURNED,
  WORKER_BYTES,
} from '../../../src/estimate/ram_facts';
import { machineOf } from '../../../src/estimate/from_config';
import { RamEnsemble, wilson } from '../../../src/estimate/oom_odds';
import { RamSimulator, type RamOptions } from '../../../src/estimate/ram_simulator';
import { exactly } from '../../../src/base/quantity';
import { insteadRun, mechanismsOf, nearestSeed, replayedRun } from '../../../src/estimate/incident';
import { INCIDENTS } from '../../../src/config/incidents';

const known = (value: number) => exactly(value, 'assumed', 'a test');

const INCIDENT = INCIDENTS[0];
const CRASH = replayedRun(INCIDENT);
const MECHANISMS = mechanismsOf(INCIDENT);

/** A machine and a loader without anything unknown. */
const PLAIN: RamOptions = {
  batch: 4,
  workers: 2,
  prefetchFactor: 2,
  pinMemory: false,
  persistentWorkers: false,
  start: 'spawn',
  machine: { ramBytes: 64 * GIB, swap: known(0), shmBytes: 32 * GIB, other: known(GIB) },
  main: known(2 * GIB),
  recordings: { kind: 'given', windows: [10, 20, 30] },
  arraysStay: 0,
  heapKeeps: WHOLE_HEAP_RETURNED,
  stepSeconds: 0.1,
  batches: 40,
  afterFirstEpoch: false,
};

const peakOf = (options: RamOptions, seed = 1): number =>
  new RamSimulator(options).train(seed).records.at(-1)?.bytes ?? 0;

describe('measured facts', () => {
  test('decompressing a recording: 67 windows are 75 MiB in 0.37 s, 355 are 395 MiB in 1.7 s', () => {
    expect(Math.round((67 * CACHED_WINDOW_BYTES) / MIB)).toBe(75);
    expect(Math.abs((355 * CACHED_WINDOW_BYTES) / MIB - 395)).toBeLessThan(1.5);
    expect(decompressSeconds(75 * MIB)).toBeCloseTo(0.37, 10);
    expect(decompressSeconds(395 * MIB)).toBeCloseTo(1.7, 10);
  });

  test('8 workers × 4 × 64 windows are 2.34 GiB', () => {
    expect(WINDOW_BYTES).toBe(1_228_800);
    expect((8 * 4 * 64 * WINDOW_BYTES) / GIB).toBeCloseTo(2.34, 2);
  });

  test('validating 51,901 windows takes 61 GB', () => {
    expect(validationBytes(CORPUS.validationWindows).likely / 1e9).toBeCloseTo(61.4, 1);
  });
});

describe('system RAM', () => {
  test('is its parts', () => {
    const { frames } = new RamSimulator({ ...PLAIN, pinMemory: true }).train(1, 1000);
    expect(frames).toHaveLength(40);
    for (const frame of frames) {
      const { other, main, workers, files, inFlight, pinned, lists, total } = frame;
      expect(other + main + workers + files + inFlight + pinned + lists).toBeCloseTo(total, 3);
      expect(total + frame.pageCache).toBeLessThanOrEqual(64 * GIB);
    }
  });

  test('is the same for the same seed, and another for another', () => {
    const run = (seed: number) => new RamSimulator(CRASH).train(seed, 50);
    expect(run(3)).toEqual(run(3));
    expect(run(3).records).not.toEqual(run(4).records);
  });

  test('thinned frames keep the peak', () => {
    const all = new RamSimulator(PLAIN).train(2, 1000).frames;
    const few = new RamSimulator(PLAIN).train(2, 7).frames;
    expect(few).toHaveLength(7);
    expect(Math.max(...few.map(({ total }) => total))).toBe(Math.max(...all.map(({ total }) => total)));
  });

  test('a spawned worker brings its own memory, a forked one nearly none; persistent ones twice as many', () => {
    const own = (changes: Partial<RamOptions>): number =>
      new RamSimulator({ ...PLAIN, ...changes }).train(1, 1).frames[0]?.workers ?? 0;
    expect(own({ start: 'fork' })).toBe(2 * 11e6);
    const spawned = own({});
    expect(spawned).toBeGreaterThanOrEqual(2 * WORKER_BYTES.spawn.low);
    expect(spawned).toBeLessThanOrEqual(2 * WORKER_BYTES.spawn.high);
    expect(own({ persistentWorkers: true })).toBe(spawned);
    expect(own({ persistentWorkers: true, afterFirstEpoch: true })).toBe(2 * spawned);
    expect(own({ afterFirstEpoch: true })).toBe(spawned);
  });

  test('rises with batch, workers, prefetch and views', () => {
    const slow = { ...PLAIN, stepSeconds: 20 };
    for (const change of [
      { batch: 8 },
      { workers: 4 },
      { prefetchFactor: 4 },
      { pinMemory: true },
      { arraysStay: 1 },
    ])
      for (const seed of [1, 2, 3])
        expect(peakOf({ ...slow, ...change }, seed), JSON.stringify(change)).toBeGreaterThan(
          peakOf(slow, seed),
        );
  });

  test('Docker’s 64 MB of /dev/shm end a loader with workers, and not one without', () => {
    const machine = { ...PLAIN.machine, shmBytes: DOCKER_SHM_BYTES };
    const killed = new RamSimulator({ ...PLAIN, machine, batch: 16, stepSeconds: 20 }).train(1).kill;
    expect(killed).toMatchObject({ cause: 'shm' });
    expect(new RamSimulator({ ...PLAIN, machine, batch: 16, workers: 0 }).train(1).kill).toBeNull();
  });

  test('says what is wrong with numbers that cannot be', () => {
    expect(() => new RamSimulator({ ...PLAIN, batch: 0 })).toThrow('batch (0)');
  });
});

describe('validation', () => {
  const modal: RamOptions = {
    ...PLAIN,
    batch: 64,
    workers: 8,
    prefetchFactor: 4,
    pinMemory: true,
    persistentWorkers: true,
    machine: { ramBytes: 32 * GIB, swap: known(0), shmBytes: 16 * GIB, other: OTHER_BYTES.modal },
    main: MAIN_BYTES,
    recordings: CORPUS_LENGTHS,
  };

  test('of the whole corpus kills the main process of a machine with 32 GiB, when it joins and sorts', () => {
    const { kill, frames } = new RamSimulator(modal).validate(1, CORPUS.validationWindows, 100);
    expect(kill).toMatchObject({ cause: 'oom', victim: { process: 'main' } });
    expect(kill?.batch).toBe(Math.ceil(CORPUS.validationWindows / 64));
    const lists = frames.map((frame) => frame.lists);
    expect(lists).toEqual([...lists].sort((a, b) => a - b));
  });

  test('needs about 61 GB and what the processes take', () => {
    const peak = new RamSimulator(modal).validate(1, CORPUS.validationWindows).records.at(-1)?.bytes ?? 0;
    expect(peak / 1e9).toBeGreaterThan(61.4);
    expect(peak / 1e9).toBeLessThan(61.4 + 13);
  });

  test('of a twentieth of the corpus fits into 31 GiB', () => {
    const windows = Math.round(CORPUS.validationWindows / 4);
    const { kill } = new RamSimulator({ ...CRASH, workers: 0, batch: 8 }).validate(1, windows);
    expect(kill).toBeNull();
  });
});

describe('odds of a kill', () => {
  test('Wilson’s interval holds the share, and is not empty at its ends', () => {
    // Wilson (1927) for 1 of 10: Newcombe (1998), table I.
    expect(wilson(1, 10).low).toBeCloseTo(0.0179, 4);
    expect(wilson(1, 10).high).toBeCloseTo(0.4042, 4);
    expect(wilson(0, 200)).toMatchObject({ low: 0, likely: 0 });
    expect(wilson(0, 200).high).toBeGreaterThan(0.01);
    expect(wilson(200, 200).high).toBe(1);
  });

  test('rise with the batches, fall with RAM, and agree with the runs', () => {
    const ensemble = new RamEnsemble({ ...CRASH, batches: 600 }).advance(25).advance(15);
    const { curve, killed, batches, victims } = ensemble.odds();
    expect(ensemble.runs.map(({ seed }) => seed)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    const shares = curve.map(({ likely }) => likely);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(killed.likely);
    expect(victims.main + victims.worker).toBe(batches.length);
    const withRam = (gib: number) => ({ ...ensemble.options, machine: machineOf('wsl2', gib * GIB) });
    const byRam = [10, 24, 31, 40, 60].map((gib) => ensemble.on(withRam(gib)).odds().killed.likely);
    expect(byRam).toEqual([...byRam].sort((a, b) => b - a));
    expect(byRam[0]).toBe(1);
    expect(byRam.at(-1)).toBe(0);
    const { low, likely, high } = ensemble.peak();
    expect([low, likely, high]).toEqual([low, likely, high].sort((a, b) => a - b));
  });

  test('on more or less RAM, swap and /dev/shm are those of a simulation there, to the bit', () => {
    const options = { ...CRASH, machine: machineOf('wsl2', 31 * GIB), batches: 200 };
    const ensemble = new RamEnsemble(options).advance(10);
    const causes = new Set<string | undefined>();
    for (const machine of [
      machineOf('wsl2', 10 * GIB),
      machineOf('wsl2', 64 * GIB),
      { ...options.machine, ramBytes: 64 * GIB, shmBytes: 60e6 },
    ]) {
      const there = { ...options, machine };
      expect(RamEnsemble.about(there)).toBe(RamEnsemble.about(options));
      const { runs } = ensemble.on(there);
      expect(runs).toEqual(new RamEnsemble(there).advance(10).runs);
      for (const { kill } of runs) causes.add(kill?.cause);
    }
    expect(causes).toEqual(new Set(['oom', undefined, 'shm']));
    const slower = { ...options, stepSeconds: 2 * options.stepSeconds };
    expect(RamEnsemble.about(slower)).not.toBe(RamEnsemble.about(options));
  });
});

describe('the crash of 2025-01-19', () => {
  const RUNS = 60;
  const BATCHES = 800;
  const ensembles = new Map(
    MECHANISMS.map(
      ({ id, options }) => [id, new RamEnsemble({ ...options, batches: BATCHES }).advance(RUNS)] as const,
    ),
  );
  const odds = (id: string) => {
    const ensemble = ensembles.get(id);
    if (!ensemble) throw new Error(id);
    return ensemble.odds();
  };

  test('is not explained by the loader as its source reads: memory stays half empty, the main process is largest', () => {
    expect(odds('copies').batches).toEqual([]);
    const { peak, runs } = {
      peak: ensembles.get('copies')?.peak(),
      runs: ensembles.get('copies')?.runs ?? [],
    };
    expect(peak?.high).toBeLessThan(20 * GIB);
    const largest = runs.map(({ records }) => records.at(-1)?.victim.process);
    expect(largest.filter((process) => process === 'main').length).toBeGreaterThan(0.9 * RUNS);
  });

  test('with arrays that stay, it is a worker that dies, and 127 batches are an ordinary moment for it', () => {
    const replayed = odds('views-heap');
    expect(replayed.killed.likely).toBeGreaterThan(0.2);
    expect(replayed.victims.main).toBe(0);
    const { batches } = replayed;
    const quantile = batches.filter((batch) => batch <= INCIDENT.killed.afterBatches).length / batches.length;
    expect(quantile).toBeGreaterThan(0.05);
    expect(quantile).toBeLessThan(0.95);
    expect(odds('views').killed.likely).toBeLessThan(replayed.killed.likely);
    const held = (ensembles.get('views-heap')?.runs ?? []).flatMap(({ kill }) =>
      kill ? [kill.victimBytes] : [],
    );
    expect(Math.min(...held)).toBeGreaterThan(4e9);
    expect(Math.max(...held)).toBeLessThan(11.3e9);
  });

  test('the WSL2-safe file on the same seeds is never killed', () => {
    const safe = new RamEnsemble({ ...insteadRun(INCIDENT), batches: BATCHES }).advance(RUNS);
    expect(safe.odds().batches).toEqual([]);
    const machine = (ensemble?: RamEnsemble) => ensemble?.runs.map(({ limitBytes }) => limitBytes);
    expect(machine(safe)).toEqual(machine(ensembles.get('views-heap')));
  });

  test('is replayed by a seed near it, frame by frame until the kill', () => {
    const ensemble = ensembles.get('views-heap');
    if (!ensemble) throw new Error('no ensemble');
    const seed = nearestSeed(INCIDENT, ensemble) ?? 0;
    const { kill, frames, limitBytes } = ensemble.simulator.train(seed, 240);
    expect(kill?.batch).toBe(ensemble.runs.find((run) => run.seed === seed)?.kill?.batch);
    expect(kill?.batch).toBeGreaterThan(60);
    expect(kill?.batch).toBeLessThan(250);
    expect(frames.at(-1)?.total).toBe(kill?.bytes);
    expect(frames.filter(({ total }) => total > limitBytes)).toHaveLength(1);
  });

  test('hangs on what is assumed, in the direction that one expects', () => {
    const killed = (change: Partial<RamOptions>): number =>
      new RamEnsemble({ ...CRASH, ...change, batches: BATCHES }).advance(30).odds().killed.likely;
    const withOther = (gib: number) => killed({ machine: { ...CRASH.machine, other: known(gib * GIB) } });
    const withSwap = (gib: number) => killed({ machine: { ...CRASH.machine, swap: known(gib * GIB) } });
    const withSpread = (spread: number) =>
      killed({ recordings: { ...CORPUS_LENGTHS, spread: known(spread) } });
    expect(withOther(1)).toBeLessThan(withOther(12));
    expect(withSwap(0)).toBeGreaterThan(withSwap(8));
    expect(withSpread(1.2)).toBeGreaterThan(withSpread(0.8));
    expect(killed({ workers: 0 })).toBe(0);
  });
});
