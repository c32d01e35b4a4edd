import { describe, expect, test } from 'vitest';
import { OPS, opsIn } from './all_ops';
import { addGradients, buildCase, checkOp, testDevice } from './check-op';
import { OP_CASES } from './op_cases';
import { silu } from './sample_ops';

const device = testDevice();

test('ops are found, alone and with functions of them, and have names of their own', () => {
  expect(opsIn(silu).map(({ name }) => name)).toEqual(['silu', 'silu_backward']);
  const names = OPS.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['relu', 'relu_backward', 'linear', 'ssd_scan', 'adamw']));
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test('every op is in some case, or in its gradient', () => {
  const covered = new Set(
    Object.values(OP_CASES).flatMap((opCase) => {
      const built = buildCase(opCase);
      addGradients(built);
      return built.graph.nodes.map(({ op }) => op);
    }),
  );
  expect(OPS.filter((op) => !covered.has(op)).map(({ name }) => name)).toEqual([]);
});

describe('against float64 and finite differences', () => {
  test.each(Object.entries(OP_CASES))('%s', async (_, opCase) => {
    await checkOp(device(), { ...opCase, variants: 'frozen' });
  });
});
