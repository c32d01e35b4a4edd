import { describe, expect, it, test } from 'vitest';
import { INCIDENTS, type Crash } from '../../../src/config/incidents';
import { isHostSamples, peaksAt, readHostSamples } from '../../../src/estimate/host_samples';
import { MechanismFits, nearness, type Evidence } from '../../../src/estimate/mechanism_fit';

const MIB = 2 ** 20;

describe('samples of a host’s memory', () => {
  test.each([
    [
      'psrecord’s log',
      '# Elapsed time   CPU (%)     Real (MB)   Virtual (MB)\n       0.000        0.000      100.000      900.000\n       1.500       99.000      300.000      900.000\n',
      [0, 1.5],
      [100 * MIB, 300 * MIB],
    ],
    [
      'psrecord’s CSV',
      'elapsed_time,nproc,cpu,mem_real,mem_virtual\n10,1,5,100,900\n11,5,5,250.5,900\n',
      [0, 1],
      [100 * MIB, 250.5 * MIB],
    ],
    [
      'ps, one line a process',
      'time,pid,ppid,rss,vsz,comm\n2026-01-19T16:40:00Z,1,0,1024,9,python\n2026-01-19T16:40:00Z,2,1,2048,9,python\n2026-01-19T16:41:00Z,1,0,4096,9,python\n',
      [0, 60],
      [3 * MIB, 4 * MIB],
    ],
    [
      'ps by blanks, whose elapsed time is in minutes and seconds',
      '    ELAPSED   PID    RSS COMMAND\n  59:50  7  1024 python\n  01:00:10  7  2048 python\n',
      [0, 20],
      [MIB, 2 * MIB],
    ],
    [
      'psrecord’s output',
      'Attaching to process 7\n# Elapsed time   CPU (%)     Real (MB)   Virtual (MB)\n0 0 100 900\n2 99 300 900\nProcess finished (2.50 seconds)\n',
      [0, 2],
      [100 * MIB, 300 * MIB],
    ],
    [
      'a clock before ps’s columns, over midnight',
      'time;rss;TIME\n23:59:50;1024;03:00\n00:00:10;2048;04:00\n',
      [0, 20],
      [MIB, 2 * MIB],
    ],
  ])('are read of %s', (_, text, seconds, bytes) => {
    expect(isHostSamples(text)).toBe(true);
    const read = readHostSamples(text);
    expect([[...read.seconds], [...read.bytes]]).toEqual([seconds, bytes]);
  });

  it('of another text, or of one moment, are rejected with a sentence', () => {
    expect(() => readHostSamples('channel,start_time\n1,2\n')).toThrow(/no header of psrecord/);
    expect(() => readHostSamples('time,rss\n1,1024\n')).toThrow(/fewer than two moments/);
    expect(isHostSamples('channel,start_time,stop_time,label,confidence\n')).toBe(false);
    // Its TIME is the processor's.
    expect(isHostSamples('USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND\n')).toBe(false);
  });

  it('have peaks that never fall', () => {
    const samples = { seconds: Float64Array.of(0, 1, 2, 4), bytes: Float64Array.of(5, 9, 3, 1) };
    expect(peaksAt(samples, [0, 0.25, 1])).toEqual([5, 9, 9]);
  });
});

describe('which mechanism fits', () => {
  const incident: Crash = INCIDENTS[0];
  const fitted = (evidence: Evidence, runs: number) => {
    const fits = new MechanismFits(incident, evidence);
    for (let run = 0; run < runs; run++) fits.advance();
    return fits;
  };

  it('is the one whose simulated run the evidence is of', () => {
    const own = fitted({ afterBatches: 200 }, 0);
    // A kill that views-heap gives: its batch, its victim and its memory over time.
    const seed = Array.from({ length: 12 }, (_, i) => i + 1).find(
      (one) => own.run('views-heap', one, 80)?.kill,
    );
    const run = own.run('views-heap', seed ?? 0, 80);
    const kill = run?.kill;
    expect(kill?.cause).toBe('oom');
    if (!run || !kill) return;
    const evidence: Evidence = {
      afterBatches: kill.batch,
      victim: kill.victim.process,
      victimBytes: kill.victimBytes,
      samples: {
        seconds: Float64Array.from(run.frames, ({ seconds }) => seconds),
        bytes: Float64Array.from(run.frames, ({ total, other }) => total - other),
      },
    };
    expect(nearness(run, evidence)).toBeCloseTo(1, 6);
    const fits = fitted(evidence, 12).fits();
    const of = (id: string) => fits.find((fit) => fit.id === id);
    expect(of('copies')).toMatchObject({ killed: 0, likelihood: 0, share: 0, seed: undefined });
    expect(of('views-heap')?.likelihood).toBeGreaterThan(of('views')?.likelihood ?? 1);
    expect(fits.reduce((sum, { share = 0 }) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  it('has no shares where nothing is killed', () => {
    const roomy = { ...incident, machine: { ...incident.machine, ramGiB: 2000 } };
    const fits = new MechanismFits(roomy, { afterBatches: 2 }).advance().fits();
    expect(fits.map(({ killed, share }) => [killed, share])).toEqual(fits.map(() => [0, undefined]));
  });
});
