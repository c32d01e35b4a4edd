import { describe, expect, it } from 'vitest';
import { INCIDENTS, type Crash } from '../../../src/config/incidents';
import { PRESETS } from '../../../src/config/presets';
import { incidentSettings, insteadRun, replayedRun, replayIncident } from '../../../src/estimate/incident';
import { RamEnsemble } from '../../../src/estimate/oom_odds';
import { readOomLog } from '../../../src/estimate/oom_log';
import { ownCrash } from '../../../src/estimate/own_crash';

const like: Crash = INCIDENTS[0];
const text = PRESETS.find(({ name }) => name === like.config)?.text ?? '';
const OWN = { place: 'wsl2', ramGiB: 31, batch: 16, workers: 4, afterBatches: 127 } as const;

describe('a crash of one’s own', () => {
  it('with the figures of an incident is the incident’s run', () => {
    const own = ownCrash(OWN, text, like.replay.hoursPerEpoch, like);
    expect(replayedRun(own)).toEqual(replayedRun(like));
    expect(insteadRun(own)).toMatchObject({ batch: 16, workers: 0 });
  });

  it('runs with its batch and workers, and without workers beside it with half the batch', () => {
    const own = ownCrash({ ...OWN, batch: 9, workers: 0 }, text, 1, like);
    expect(incidentSettings(own, own.config).loader).toMatchObject({ batch: 9, workers: 0 });
    expect(insteadRun(own)).toMatchObject({ batch: 4, workers: 0 });
  });

  it('is found in little RAM, and not in much', () => {
    const replay = (ramGiB: number) => {
      const own = ownCrash({ ...OWN, ramGiB, afterBatches: 20 }, text, 1, like);
      return replayIncident(own, new RamEnsemble(replayedRun(own)).advance(2), 40);
    };
    expect(replay(12)?.crash.kill?.cause).toBe('oom');
    expect(replay(2000)).toBeNull();
  });

  it('cannot be of a text that is no configuration', () => {
    expect(() => ownCrash(OWN, 'a: [', 1, like)).toThrow(RangeError);
  });
});

describe('a kernel log', () => {
  it('says which process was killed, with how much memory, of how much RAM', () => {
    const log = [
      '[ 9103.1] 8126464 pages RAM',
      '  4%|▍         | 127/3110 [05:21<2:05:43,  2.53s/it]',
      '[ 9103.2] Out of memory: Killed process 794619 (python) total-vm:11836520kB, anon-rss:9123456kB, file-rss:1024kB, shmem-rss:0kB, UID:1000 pgtables:18000kB oom_score_adj:0',
    ].join('\n');
    expect(readOomLog(log)).toMatchObject({
      process: 'python (pid 794619)',
      virtual: 11836520 * 1024,
      resident: (9123456 + 1024) * 1024,
      ram: 31 * 2 ** 30,
      afterBatches: 127,
    });
  });

  it('has a table of processes, of old and of new kernels, and swap', () => {
    const table = (parts: string, values: string): string =>
      [
        '[1.0] Free swap  = 0kB',
        '[1.0] Total swap = 8388608kB',
        '[1.1] Tasks state (memory values in pages):',
        `[1.1] [  pid  ]   uid  tgid total_vm      rss ${parts}pgtables_bytes swapents oom_score_adj name`,
        `[1.1] [    500]  1000   500  2000000   500000 ${values}    8000        0             0 code`,
        `[1.1] [   1000]  1000  1000  2500000   700000 ${values}    8000        0             0 python`,
        `[1.1] [   1004]  1000  1004  2900000  1800000 ${values}    8000        0             0 python`,
        '[1.2] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=python,pid=1004,uid=1000',
        '[1.3] Out of memory: Killed process 1004 (python) total-vm:11600000kB, anon-rss:7200000kB',
      ].join('\n');
    for (const [parts, values] of [
      ['', ''],
      ['rss_anon rss_file rss_shmem ', '1 2 3 '],
    ] as const) {
      const log = readOomLog(table(parts, values));
      expect(log?.tasks.map(({ pid, name, resident }) => [pid, name, resident / 4096])).toEqual([
        [1004, 'python', 1_800_000],
        [1000, 'python', 700_000],
        [500, 'code', 500_000],
      ]);
      expect(log).toMatchObject({
        victim: 'worker',
        run: 2_500_000 * 4096,
        others: 500_000 * 4096,
        swap: { total: 8 * 2 ** 30, free: 0 },
      });
    }
  });

  it('of several kills is the last with its own table, whatever else the kernel writes within it', () => {
    const report = (pid: number, free: number): string[] => [
      'python invoked oom-killer: gfp_mask=0x140dca',
      `Free swap  = ${free}kB`,
      'Total swap = 8kB',
      '[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name',
      `[  100]  1000   100       10       ${pid}   3       0             0 python`,
      'usb 1-1: new high-speed USB device number 5',
      `[  101]  1000   101       10       ${pid}   3       0             0 Web Content`,
      `Killed process ${pid} (python) total-vm:8kB, anon-rss:4kB`,
    ];
    const log = readOomLog(
      [...report(100, 4), ...report(101, 0), 'python invoked oom-killer: cut'].join('\r\n'),
    );
    expect(log).toMatchObject({ process: 'python (pid 101)', swap: { total: 8192, free: 0 } });
    expect(log?.tasks.map(({ pid, name }) => [pid, name])).toEqual([
      [100, 'python'],
      [101, 'Web Content'],
    ]);
    expect(log?.tasks[0]?.resident).toBe(101 * 4096);
  });

  it('is read of a control group and of an older kernel, of PyTorch alone, and of none', () => {
    const group = 'Memory cgroup out of memory: Killed process 12 (python3) total-vm:8kB';
    expect(readOomLog(group)).toMatchObject({
      process: 'python3 (pid 12)',
      virtual: 8192,
      resident: undefined,
      ram: undefined,
      group: false,
    });
    expect(
      readOomLog(`memory: usage 33554432kB, limit 33554432kB, failcnt 5\n8126464 pages RAM\n${group}`),
    ).toMatchObject({ ram: 2 ** 35, group: true });
    expect(
      readOomLog('Killed process 7, UID 1000, (pt_data_worker) total-vm:4kB, anon-rss:2kB'),
    ).toMatchObject({ process: 'pt_data_worker (pid 7)', resident: 2048 });
    expect(
      readOomLog('RuntimeError: DataLoader worker (pid 794619) is killed by signal: Killed.'),
    ).toMatchObject({ process: 'a DataLoader worker (pid 794619)', ram: undefined });
    expect(readOomLog('Traceback: CUDA out of memory')).toBeUndefined();
    // It may have crashed.
    expect(readOomLog('DataLoader worker (pid(s) 7, 8) exited unexpectedly')).toBeUndefined();
    expect(
      readOomLog('DataLoader worker (pid(s) 7, 8) exited unexpectedly\nKilled process 8 (python)')?.victim,
    ).toBe('worker');
  });
});
