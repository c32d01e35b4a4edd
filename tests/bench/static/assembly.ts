/** What a driver's compiler issues in a kernel's hottest loop, read from its assembly. */

/** An instruction that the hardware issues: how many multiply-adds it does on each lane. */
interface Instruction {
  readonly multiplyAdds: number;
}

interface Code {
  readonly instructions: readonly Instruction[];
  /** First and last instruction of each loop. */
  readonly loops: readonly (readonly [number, number])[];
}

interface Syntax {
  readonly label: RegExp;
  /** Group 1 is the operation. */
  readonly operation: RegExp;
  /** Group 1 is the label that a backward branch of this line goes to. */
  readonly branch: RegExp;
  /** What takes no issue slot of its own: waits and hints. */
  readonly ignored: RegExp;
  readonly multiplyAdd: RegExp;
}

const AMD: Syntax = {
  label: /^(BB\d+):/,
  operation: /^\s+([a-z]\w+)/,
  branch: /^\s+s_c?branch\w*\s+(BB\d+)/,
  ignored: /^s_(delay_alu|clause|nop|sleep|waitcnt|wait_|inst_prefetch|set_inst_prefetch)/,
  multiplyAdd: /v_(dual_)?(pk_)?(fma|fmac|mac|mad_f|fmaak|fmamk)/g,
};

const INTEL: Syntax = {
  label: /^(LABEL\d+):/,
  operation: /^(?:\([^)]*\)\s*)?([a-z]\w*)[.\w]*(?:\s+\w+)?\(\d+\)/,
  branch: /\bwhile\b.*JIP:\s*(LABEL\d+)/,
  ignored: /^(sync|nop)/,
  multiplyAdd: /\b(mad|mac)\(/g,
};

function parse(text: string): Code {
  const syntax = /^BB\d+:/m.test(text) ? AMD : INTEL;
  const instructions: Instruction[] = [];
  const labels = new Map<string, number>();
  const loops: [number, number][] = [];
  for (const line of text.split('\n')) {
    const label = syntax.label.exec(line)?.[1];
    if (label) labels.set(label, instructions.length);
    const operation = syntax.operation.exec(line)?.[1];
    if (!operation || syntax.ignored.test(operation)) continue;
    // Two operations may share an issue slot of an RDNA 3.
    instructions.push({ multiplyAdds: (line.match(syntax.multiplyAdd) ?? []).length });
    const first = labels.get(syntax.branch.exec(line)?.[1] ?? '');
    if (first !== undefined) loops.push([first, instructions.length - 1]);
  }
  return { instructions, loops };
}

/**
 * Multiply-adds over issued instructions of the loop that has most multiply-adds of its own, loops inside it left out. `trips` says
 * how often each innermost loop of the loop around it runs, in order: where as many are found, the share is that of the whole
 * surrounding loop. Undefined where no loop multiplies.
 */
export function multiplyAddShare(text: string, trips: readonly number[]): number | undefined {
  const { instructions, loops } = parse(text);
  type Loop = readonly [number, number];
  // A `continue` makes another loop of the same start; the longest is the loop.
  const longest = new Map<number, Loop>();
  for (const loop of loops) if (loop[1] > (longest.get(loop[0])?.[1] ?? -1)) longest.set(loop[0], loop);
  const all = [...longest.values()].sort(([a], [b]) => a - b);
  const inside = (outer: Loop): Loop[] =>
    all.filter((loop) => loop !== outer && outer[0] <= loop[0] && loop[1] <= outer[1]);
  const innermost = (outer: Loop): Loop[] => inside(outer).filter((loop) => inside(loop).length === 0);
  const count = ([first, last]: Loop): { fmas: number; issued: number } => ({
    fmas: instructions.slice(first, last + 1).reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0),
    issued: last + 1 - first,
  });
  const own = (loop: Loop): number =>
    innermost(loop).reduce((rest, inner) => rest - count(inner).fmas, count(loop).fmas);
  const weigh = (outer: Loop, times: readonly (readonly [Loop, number])[]): number => {
    const sum = count(outer);
    for (const [loop, n] of times) {
      const { fmas, issued } = count(loop);
      sum.fmas += fmas * (n - 1);
      sum.issued += issued * (n - 1);
    }
    return sum.fmas / sum.issued;
  };
  const core = [...all].sort((a, b) => own(b) - own(a))[0];
  if (!core || own(core) === 0) return undefined;
  const around = all.filter((loop) => loop !== core && loop[0] <= core[0] && core[1] <= loop[1]).at(-1);
  const found = around ? innermost(around) : [];
  if (around && found.length === trips.length)
    return weigh(
      around,
      found.map((loop, i) => [loop, trips[i] as number]),
    );
  return weigh(core, []);
}
