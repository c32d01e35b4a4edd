import { write } from '../../../src/checkpoints/safetensors';
import { evaluationGraph } from '../../../src/detection/evaluation';
import { PRODUCTION } from '../../../src/models/detector';
import { initialise } from '../../../src/models/initialise';

/** Weights of a narrow, untrained detector whose last bias makes all of a recording a seizure, or none of it. */
export function untrained(bias: number): Uint8Array {
  const config = { ...PRODUCTION, baseChannels: 2, layers: 1, mixer: 'conv' as const };
  const { declared, graph } = evaluationGraph(config, 1);
  const values = initialise(declared, 1);
  const tensors = declared.map(({ parameter: { name }, publishedShape: shape }) => {
    const data = values.get(name) ?? new Float32Array();
    if (name === 'detection_head.bias') data.fill(bias);
    if (name === 'detection_head.weight') data.fill(0);
    return [name, { dtype: 'F32' as const, shape, data }] as const;
  });
  const buffers = graph.buffers.map(
    ({ name, shape, initial }) =>
      [name, { dtype: 'F32' as const, shape, data: new Float32Array(shape[0] ?? 0).fill(initial) }] as const,
  );
  return write(new Map([...tensors, ...buffers]), {});
}
