/** Every op of the engine, found by itself: whatever a file of src/engine/ops exports, alone or with a function of it. */
import type { AnyOp } from '../../../src/engine/ops/definition';
import type { ElementwiseOp } from '../../../src/engine/ops/elementwise';

const modules = import.meta.glob<Readonly<Record<string, unknown>>>('../../../src/engine/ops/*.ts', {
  eager: true,
});

const isOp = (value: unknown): value is AnyOp =>
  typeof value === 'object' && value !== null && 'kernels' in value && 'reference' in value;

/** An exported op, or those that an exported function of them carries. */
export const opsIn = (exported: unknown): readonly AnyOp[] =>
  [exported, ...(typeof exported === 'function' ? Object.values<unknown>({ ...exported }) : [])].filter(isOp);

export const OPS: readonly AnyOp[] = [
  ...new Set(Object.values(modules).flatMap((module) => Object.values(module).flatMap(opsIn))),
];

export const isElementwise = (op: AnyOp): op is ElementwiseOp<string, string> & AnyOp => 'formula' in op;
