/** Where a run's numbers went bad: the first tensor that holds NaN or infinity. */
import type { Parameters } from './packs';
import type { Program } from './program';
import type { StepScalars } from './ops/definition';

export interface NotFinite {
  /** `the parameter encoder.input_conv.conv.weight`, `rescnn/blocks.0/batch_norm.y` */
  readonly tensor: string;
  /** Op and shapes of the node that wrote it; absent for parameters and inputs. */
  readonly where?: string;
  /** Which of its elements, and what it is. */
  readonly index: number;
  readonly value: number;
}

/**
 * Runs the program once more, dispatch by dispatch, on the inputs and weights it has. After a step whose gradient was
 * not finite those are the ones of that step, since AdamW changed nothing; running statistics are put back as they were.
 * Undefined when everything is finite. Takes seconds: it reads every tensor.
 */
export async function firstNotFinite(program: Program, scalars: StepScalars): Promise<NotFinite | undefined> {
  const { parameters } = program;
  const bad = parameters && (await badParameter(parameters));
  if (bad) return bad;
  const buffers = (await parameters?.read('buffer')) ?? new Map<string, Float32Array>();
  let found: NotFinite | undefined;
  await program.inspect(scalars, (tensor, values, dispatch) => {
    const at = indexOfBad(values);
    if (at) found = { tensor: tensor.name, ...at, ...(dispatch && { where: dispatch.where }) };
    return at !== undefined;
  });
  for (const [name, values] of buffers) parameters?.write(name, values);
  return found;
}

async function badParameter(parameters: Parameters): Promise<NotFinite | undefined> {
  for (const pack of ['value', 'buffer'] as const)
    for (const [name, values] of await parameters.read(pack)) {
      const at = indexOfBad(values);
      if (at) return { tensor: `the ${pack === 'value' ? 'parameter' : 'buffer'} ${name}`, ...at };
    }
  return undefined;
}

function indexOfBad(values: Float32Array): { index: number; value: number } | undefined {
  const index = values.findIndex((value) => !Number.isFinite(value));
  return index < 0 ? undefined : { index, value: values[index] as number };
}
