/** What the drivers' compilers make of the engine's kernels, for GPUs that this machine does not have; nothing is measured. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Device } from '../../../src/engine/device';
import type { Dispatch } from '../../../src/engine/ops/definition';
import { planProgram } from '../../../src/engine/plan';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { multiplyAddShare } from './assembly';
import { chainOf } from './chains';
import { PROGRAMS } from './programs';

/** Those that can be asked of Mesa 25: RADV_FORCE_FAMILY and INTEL_STUB_GPU_PLATFORM name them so. */
const FAMILIES = {
  amd: 'polaris10 vega10 vega20 raven navi10 navi21 navi23 rembrandt navi31 navi33 phoenix gfx1150 gfx1151 gfx1200 gfx1201',
  intel: 'skl kbl cfl icl tgl dg1 adl rpl dg2 mtl arl lnl bmg',
} as const;

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.env['GPU_STATIC'] ?? join(homedir(), '.cache/gpu-static');

const USAGE = `Usage: npm run bench:static -- FAMILY… [--program NAME]… [--match TEXT]… [--bad]

Compiles the engine's kernels as Mesa's drivers do for GPUs that are not there, and prints what the compilers say of each:
registers, spills, scratch memory, the share of multiply-adds in the hottest loop, and (chain) the loads that a thread waits for one
after the other in its sums, over all n dispatches of the kernel. No time in it is measured.
  FAMILY      ${FAMILIES.amd}
              ${FAMILIES.intel} (after install.sh --intel)
  --program   ${Object.keys(PROGRAMS).join(', ')} (all)
  --match     only kernels whose line contains a TEXT
  --bad       only kernels with spills, scratch memory, over 48 KB of text or over 32 KB of instructions
Needs Debian 12: tests/bench/static/install.sh [--intel] sets ${folder} up.`;

/** The limits of compile time that kernels keep to: bytes of a kernel's text, and of what a compiler makes of it. */
const LIMITS = { text: 48 * 1024, code: 32 * 1024 } as const;

/** Returns 1 when a kernel does not compile, 2 for wrong arguments. */
export async function main(args: string[]): Promise<number> {
  let parsed;
  try {
    const multiple = { type: 'string', multiple: true, default: [] as string[] } as const;
    const options = { program: multiple, match: multiple, bad: { type: 'boolean', default: false } } as const;
    parsed = parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const { positionals: families, values } = parsed;
  const programs = values.program.length > 0 ? values.program : Object.keys(PROGRAMS);
  if (families.length === 0 || programs.some((name) => !Object.hasOwn(PROGRAMS, name))) {
    console.error(USAGE);
    return 2;
  }
  if (process.env['STATIC_LOG']) return await compile(families[0] ?? '', programs, values);
  let worst = 0;
  for (const family of families) {
    const environment = environmentOf(family);
    if (typeof environment === 'string') {
      console.error(environment);
      return 2;
    }
    const out = mkdtempSync(join(tmpdir(), 'gpu-static-'));
    mkdirSync(join(out, 'isa'));
    const rest = args.filter((argument) => !families.includes(argument));
    const { status } = spawnSync(
      process.execPath,
      [join(here, '../../load.mjs'), 'bench/static/main.ts', family, ...rest],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: {
          ...process.env,
          ...environment,
          STATIC_LOG: join(out, 'pipelines'),
          STATIC_ISA: join(out, 'isa'),
        },
      },
    );
    rmSync(out, { recursive: true });
    worst = Math.max(worst, status ?? 1);
  }
  return worst;
}

/** The variables under which Dawn finds that GPU, or what is missing. */
function environmentOf(family: string): Record<string, string> | string {
  const amd = FAMILIES.amd.split(' ').includes(family);
  if (!amd && !FAMILIES.intel.split(' ').includes(family)) return `There is no family ${family}.\n\n${USAGE}`;
  const library = join(folder, 'packages/usr/lib/x86_64-linux-gnu');
  const [driver, shim] = [join(folder, amd ? 'radeon.json' : 'intel.json'), join(folder, 'shim.so')];
  for (const file of [driver, join(folder, 'layer/layer.so'), ...(amd ? [] : [shim])])
    if (!existsSync(file))
      return `${file} is missing: run tests/bench/static/install.sh${amd ? '' : ' --intel'}.`;
  return {
    VK_DRIVER_FILES: driver,
    VK_LAYER_PATH: join(folder, 'layer'),
    VK_INSTANCE_LAYERS: 'VK_LAYER_STATIC_compile',
    LD_LIBRARY_PATH: library,
    MESA_SHADER_CACHE_DISABLE: 'true',
    XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? tmpdir(),
    ...(amd ? { RADV_FORCE_FAMILY: family } : { INTEL_STUB_GPU_PLATFORM: family, LD_PRELOAD: shim }),
  };
}

/** A kernel as one program dispatches it. */
interface Kernel {
  readonly program: string;
  readonly dispatch: Dispatch;
  readonly workgroups: number[];
  /** Loads that a thread waits for one after the other in its sums, for each dispatch. */
  readonly chains: number[];
}

/** What the layer wrote of one executable: the drivers' statistics by their names, AMD's or Intel's. */
type Statistics = Readonly<Record<string, number | string | undefined>> & { readonly isa?: string };

const HEAD = [
  'n',
  'workgroups',
  'lanes',
  'simd',
  'regs',
  'waves',
  'spills',
  'fills',
  'scratch',
  'lds',
  'instr',
  'code',
  'text',
  'fma',
  'chain',
  'kernel',
];

async function compile(
  family: string,
  programs: readonly string[],
  { match, bad }: { match: readonly string[]; bad: boolean },
): Promise<number> {
  const device = await Device.request(await requestNodeGpu());
  // The test of quads runs a kernel, and here nothing runs.
  const capabilities = { ...device.capabilities, subgroups: device.features.has('subgroups') };
  console.log(`\n${family}: ${device.adapter.description}`);
  const kernels: Kernel[] = [];
  const sums = { spilling: 0, text: 0, code: 0, chains: new Map<string, number>() };
  for (const name of programs) {
    // Programs that differ in one op's variant have the other kernels in common.
    const listed = new Set<string>();
    for (const { name: program, graph, outputs, choose } of PROGRAMS[name]?.(capabilities) ?? []) {
      const mine = new Map<string, Kernel>();
      for (const dispatch of planProgram(graph, capabilities, { outputs, choose }).dispatches) {
        const known = mine.get(dispatch.code);
        const { workgroups, chains } = known ?? { workgroups: [] as number[], chains: [] as number[] };
        workgroups.push(dispatch.workgroups);
        chains.push(chainOf(dispatch));
        if (!known) mine.set(dispatch.code, { program, dispatch, workgroups, chains });
      }
      sums.chains.set(program, sum([...mine.values()].flatMap(({ chains }) => chains)));
      for (const [code, kernel] of mine) {
        const key = `${kernel.workgroups.join()} ${code}`;
        if (!listed.has(key)) kernels.push(kernel);
        listed.add(key);
      }
    }
  }
  const made = new Map<string, Statistics[]>();
  const rows: string[][] = [HEAD];
  const failures: string[] = [];
  for (const { program, dispatch, workgroups, chains } of kernels) {
    const { code } = dispatch;
    const line = `${program} | ${dispatch.kernel}`;
    if (match.length > 0 && !match.some((text) => line.includes(text))) continue;
    let statistics = made.get(code);
    if (!statistics)
      try {
        writeFileSync(process.env['STATIC_LOG'] as string, '');
        await device.pipeline(line, dispatch);
        made.set(code, (statistics = written()));
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
        continue;
      }
    for (const one of statistics) {
      const row = describe(one, dispatch);
      sums.text = Math.max(sums.text, code.length);
      sums.code = Math.max(sums.code, row.code);
      if (row.spills || row.scratch) sums.spilling++;
      if (bad && !row.spills && !row.scratch && code.length <= LIMITS.text && row.code <= LIMITS.code)
        continue;
      const columns: Record<string, string | number | undefined> = {
        ...row,
        n: workgroups.length,
        workgroups: range(workgroups),
        chain: sum(chains) || '',
        kernel: line,
      };
      rows.push(HEAD.map((name) => String(columns[name] ?? '')));
    }
  }
  const widths = HEAD.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row.map((cell, i) => (i === HEAD.length - 1 ? cell : cell.padStart(widths[i] ?? 0))).join('  '),
    );
  console.log(
    `${made.size} pipelines, ${sums.spilling} lines with spills or scratch memory; the largest text has ${sums.text} bytes, the largest code ${sums.code}`,
  );
  console.log(
    '\nLoads that a thread waits for one after the other in the sums of a program, over all its dispatches:',
  );
  for (const [program, chain] of sums.chains) console.log(`${String(chain).padStart(6)}  ${program}`);
  for (const failure of failures) console.error(failure);
  return failures.length > 0 ? 1 : 0;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

const written = (): Statistics[] =>
  readFileSync(process.env['STATIC_LOG'] as string, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Statistics);

function describe(statistics: Statistics, { code }: Dispatch) {
  const assembly = statistics.isa ? readFileSync(statistics.isa, 'utf8') : '';
  const of = (...names: string[]): number =>
    Number(names.map((name) => statistics[name]).find((value) => value !== undefined) ?? 0);
  const instructions = of('Instructions', 'Instruction Count');
  return {
    lanes: /@workgroup_size\((\d+)/.exec(code)?.[1],
    simd: of('simd'),
    regs: of('VGPRs', 'Max live registers'),
    waves: of('Subgroups per SIMD') || '',
    spills: of('Spilled VGPRs', 'Spill Count'),
    fills: of('Fill Count'),
    scratch: of('Scratch size', 'Scratch Memory Size'),
    lds: of('LDS size', 'Workgroup Memory Size'),
    instr: instructions,
    // Intel says no size; its instructions take 16 bytes, or 8 where they are compacted.
    code: of('Code size') || 16 * instructions - 8 * (assembly.match(/compacted/g) ?? []).length,
    text: code.length,
    fma: multiplyAddShare(assembly, tripsOf(code))?.toFixed(2) ?? '',
  };
}

/** How often the loop over a product's tile runs in each round of the loop around it. */
const tripsOf = (code: string): number[] => / k < (\d+)u?; k\+\+/.exec(code)?.slice(1).map(Number) ?? [];

function range(numbers: readonly number[]): string {
  const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
  return min === max ? String(min) : `${min}–${max}`;
}
