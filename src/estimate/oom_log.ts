/** What Linux writes of an OOM kill (mm/oom_kill.c: dump_tasks, oom_kill_process; mm/memcontrol.c), and the trainer beside it. */

/** A process of the kernel's table. */
export interface OomTask {
  readonly pid: number;
  readonly name: string;
  /** Bytes. */
  readonly virtual: number;
  readonly resident: number;
}

/** Each undefined where the text does not have it. */
export interface OomLog {
  /** As “python (pid 794619)”. */
  readonly process: string;
  /** Bytes that the process had mapped, and had in RAM. */
  readonly virtual: number | undefined;
  readonly resident: number | undefined;
  /** Bytes of RAM of the machine; of a kill in a control group, its limit. */
  readonly ram: number | undefined;
  /** Whether a control group, as a container has one, reached its limit, not the machine. */
  readonly group: boolean;
  /** Batches that a progress bar of the trainer says were done. */
  readonly afterBatches: number | undefined;
  /** What of the trainer it was. */
  readonly victim: 'main' | 'worker' | undefined;
  /** Processes at the kill, the largest first. */
  readonly tasks: readonly OomTask[];
  /** Resident bytes of the trainer's processes, and of all others. */
  readonly run: number | undefined;
  readonly others: number | undefined;
  /** Bytes of swap. */
  readonly swap: { readonly total: number; readonly free: number } | undefined;
}

const PAGE_BYTES = 4096;
const MAX_LOG = 1_000_000;
const MAX_TASKS = 10_000;

const TRAINER = /python|pt_data|pt_main/i;

/** PyTorch's words for a worker that was sent SIGKILL; “exited unexpectedly” may have any reason. */
const WORKER_KILLED = /DataLoader worker \(pid (\d{1,10})\) is killed by signal: Killed/i;
const WORKERS_GONE = /DataLoader worker \(pid(?:\(s\))? ([\d, ]{1,200})\)/i;

/** Larger is no limit. */
const MAX_GROUP = 2 ** 50;

/** Whether a text has a line of Linux about an OOM kill, or PyTorch's about a worker that was sent SIGKILL. */
export const isOomLog = (text: string): boolean =>
  /killed process \d|invoked oom-killer|oom-kill:constraint/i.test(text) || WORKER_KILLED.test(text);

/**
 * Reads the lines of dmesg or journalctl about an OOM kill (“Out of memory: Killed process PID (NAME) total-vm:…kB,
 * anon-rss:…kB”), the table of processes before it, and of the trainer’s progress. Of several kills the last. Undefined
 * where no kill is in it.
 */
export function readOomLog(text: string): OomLog | undefined {
  const log = text.slice(-MAX_LOG);
  const [kill] = [
    ...log.matchAll(/killed process (\d{1,10})(?:,? uid \d+)?,? \(([^)\n]{1,64})\)([^\n]*)/gi),
  ].slice(-1);
  const worker = WORKER_KILLED.exec(log);
  if (!kill && !worker) return undefined;
  // What else the kernel says of this kill comes before it.
  const report = log.slice(Math.max(0, log.lastIndexOf('invoked oom-killer', kill?.index)), kill?.index);
  const about = kill?.[3] ?? '';
  const kilobytes = (pattern: string, of: string): number | undefined => {
    const found = new RegExp(`${pattern}\\s*[:=]?\\s*(\\d{1,15})\\s*kB`).exec(of)?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  };
  const pages = /(\d{1,12}) pages RAM/.exec(report)?.[1];
  const limit = kilobytes('memory: usage \\d{1,15}kB, limit', report) ?? Infinity;
  const group = limit < MAX_GROUP;
  const [progress] = [...log.matchAll(/\b(\d{1,7})\/\d{1,7} \[/g)].slice(-1);
  const rss = ['anon-rss', 'file-rss', 'shmem-rss']
    .map((name) => kilobytes(name, about))
    .filter((part) => part !== undefined);
  const tasks = tasksOf(report);
  const own = tasks.filter(({ name }) => TRAINER.test(name));
  const sum = (of: readonly OomTask[]): number => of.reduce((total, { resident }) => total + resident, 0);
  const [total, free] = [kilobytes('Total swap', report), kilobytes('Free swap', report)];
  return {
    process: kill ? `${kill[2]} (pid ${kill[1]})` : `a DataLoader worker (pid ${worker?.[1]})`,
    virtual: kilobytes('total-vm', about),
    resident: rss.length > 0 ? rss.reduce((all, part) => all + part, 0) : undefined,
    ram: group ? limit : pages === undefined ? undefined : Number(pages) * PAGE_BYTES,
    group,
    afterBatches: progress === undefined ? undefined : Number(progress[1]),
    victim: victimOf(kill && { pid: Number(kill[1]), name: kill[2] ?? '' }, log, own),
    tasks,
    run: own.length > 0 ? sum(own) : undefined,
    others: own.length > 0 ? sum(tasks) - sum(own) : undefined,
    swap: total === undefined || free === undefined ? undefined : { total, free },
  };
}

/** A worker is named as one, by PyTorch or by itself; else it is none where it is the trainer's first process. */
function victimOf(
  kill: Pick<OomTask, 'pid' | 'name'> | undefined,
  log: string,
  own: readonly OomTask[],
): OomLog['victim'] {
  if (!kill) return 'worker';
  if (
    WORKERS_GONE.exec(log)?.[1]
      ?.split(',')
      .some((pid) => Number(pid) === kill.pid)
  )
    return 'worker';
  if (/pt_data/i.test(kill.name)) return 'worker';
  if (!TRAINER.test(kill.name) || own.length < 2) return undefined;
  return kill.pid === Math.min(...own.map(({ pid }) => pid)) ? 'main' : 'worker';
}

/** The last table of “Tasks state (memory values in pages)”; later kernels write three parts of rss behind it. */
function tasksOf(report: string): OomTask[] {
  const header = report.lastIndexOf('oom_score_adj name');
  if (header < 0) return [];
  const columns = report
    .slice(report.lastIndexOf('\n', header) + 1, header)
    .replace(/^.*\[\s*pid\s*\]/, 'pid')
    .trim()
    .split(/\s+/);
  const [virtual, resident] = [columns.indexOf('total_vm'), columns.indexOf('rss')];
  const tasks: OomTask[] = [];
  for (const line of report.slice(header).split('\n').slice(1, MAX_TASKS)) {
    const row = /\[\s*(\d{1,10})\s*\]\s+((?:-?\d{1,15}\s+)+)(\S.{0,63}?)\s*$/.exec(line);
    // Another part of the kernel may write between them.
    if (!row) continue;
    const numbers = [Number(row[1]), ...(row[2] ?? '').trim().split(/\s+/).map(Number)];
    tasks.push({
      pid: numbers[0] as number,
      name: row[3] ?? '',
      virtual: (numbers[virtual] ?? 0) * PAGE_BYTES,
      resident: (numbers[resident] ?? 0) * PAGE_BYTES,
    });
  }
  return tasks.sort((a, b) => b.resident - a.resident);
}
