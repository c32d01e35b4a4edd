/** The programs whose kernels `npm run bench:static` compiles: production's shapes, and whole steps of its detector. */
import { WINDOW } from '../../../src/eeg/windows/windows';
import { differentiate } from '../../../src/engine/gradient';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { binaryLoss } from '../../../src/engine/ops/binary_loss';
import { conv1d } from '../../../src/engine/ops/conv1d';
import type { Variant } from '../../../src/engine/ops/definition';
import { linear } from '../../../src/engine/ops/linear';
import { selectiveScan } from '../../../src/engine/ops/selective_scan';
import { ssdScan } from '../../../src/engine/ops/ssd_scan';
import { trainingStep } from '../../../src/engine/optimizer';
import { frozenChoice, type Capabilities, type ChooseVariant } from '../../../src/engine/plan';
import { detectorModel } from '../../../src/models/detector';
import { detectorConfigOf, PRODUCTION_RUN } from '../../../src/training/settings';

export interface Compiled {
  readonly name: string;
  readonly graph: Graph;
  readonly outputs: readonly Tensor[];
  readonly choose: ChooseVariant;
}

type Build = () => { readonly graph: Graph; readonly outputs: readonly Tensor[] };

/** y and the gradients of `inputs`, so that forward and backward are compiled. */
function withGradients(graph: Graph, y: Tensor, inputs: readonly Tensor[]): Tensor[] {
  const gradients = differentiate(graph, [{ of: y, cotangent: graph.input('dy', y.shape) }], [...inputs]);
  return [y, ...inputs.flatMap((input) => gradients.get(input) ?? [])];
}

/** One program for each variant that a node of the graph offers, all nodes taking the variant of that name where they have it. */
function* variants(name: string, capabilities: Capabilities, build: Build): Iterable<Compiled> {
  const lowering = {
    ...capabilities,
    isUsed: () => true,
    scratch: (): never => {
      throw new Error('a list of variants cannot ask for scratch memory');
    },
  };
  const offered = build().graph.nodes.flatMap((node) => node.op.variants?.(node, lowering) ?? []);
  for (const variant of new Set(offered.map((one) => one.name))) {
    const choose = (_: unknown, all: readonly [Variant, ...Variant[]]): Variant =>
      all.find((one) => one.name === variant) ?? all[0];
    yield { name: `${name} ${variant}`, ...build(), choose };
  }
}

/** Compiled where none is named: everything. */
export const PROGRAMS: Record<string, (capabilities: Capabilities) => Iterable<Compiled>> = {
  products: (capabilities) =>
    variants('[960, 512] x [512, 2096]', capabilities, () => {
      const graph = new Graph();
      const [x, w] = [graph.input('x', [960, 512]), graph.input('w', [2096, 512])];
      return { graph, outputs: withGradients(graph, linear(graph, x, w), [x, w]) };
    }),
  *convolutions(capabilities) {
    for (const [l, c] of [
      [15360, 64],
      [1920, 512],
    ] as const)
      yield* variants(`conv [1, ${l}, ${c}] k 5`, capabilities, () => {
        const graph = new Graph();
        const [x, w] = [graph.input('x', [1, l, c]), graph.input('w', [c, c, 5])];
        return {
          graph,
          outputs: withGradients(graph, conv1d(graph, x, w, undefined, { padding: 2 }), [x, w]),
        };
      });
  },
  *scan(capabilities) {
    for (const n of [16, 32, 64])
      yield* variants(`scan [1, 960, 1024, ${n}]`, capabilities, () => {
        const graph = new Graph();
        const [b, l, d] = [1, 960, 1024];
        const x = {
          u: graph.input('u', [b, l, d]),
          delta: graph.input('delta', [b, l, d]),
          A: graph.input('A', [d, n]),
          B: graph.input('B', [b, l, n]),
          C: graph.input('C', [b, l, n]),
          D: graph.input('D', [d]),
          z: graph.input('z', [b, l, d]),
          deltaBias: graph.input('bias', [d]),
        };
        const y = selectiveScan(graph, x, { deltaSoftplus: true });
        return { graph, outputs: withGradients(graph, y, Object.values(x)) };
      });
  },
  *detector() {
    for (const batch of [1, 8])
      for (const mixer of ['mamba2', 'conv'] as const) {
        if (batch > 1 && mixer === 'conv') continue;
        const config = detectorConfigOf({ ...PRODUCTION_RUN.model, mixer }, 64);
        const graph = new Graph();
        const x = graph.input('eeg', [batch, WINDOW, config.electrodes]);
        const { logits } = detectorModel(graph, x, config, { training: true });
        const labels = graph.input('labels', [batch, WINDOW, 1]);
        const loss = binaryLoss(graph, logits, labels, { posWeight: 2 });
        const norm = trainingStep(graph, loss, { weightDecay: 0.05, clip: 1, segmentOf: undefined });
        const name = `detector ${mixer} batch ${batch}`;
        yield { name, graph, outputs: [loss, norm], choose: frozenChoice };
      }
  },
  *ssd() {
    const graph = new Graph();
    const [b, l, h, p, n] = [1, 960, 16, 64, 16];
    const x = {
      xbc: graph.input('xbc', [b, l, h * p + 2 * n]),
      dt: graph.input('dt', [b, l, h]),
      A: graph.input('A', [h]),
      D: graph.input('D', [h]),
      dtBias: graph.input('bias', [h]),
    };
    const y = ssdScan(graph, x, { headdim: p, groups: 1, dState: n, reverse: false });
    yield {
      name: 'ssd [1, 960, 16 x 64, 16]',
      graph,
      outputs: withGradients(graph, y, Object.values(x)),
      choose: frozenChoice,
    };
  },
};
