/** The order in which PyTorch lists the detector's parameters: an optimizer's state dict knows them by number. */

/** Parts in the order of their registration wherever two of them stand side by side. */
const REGISTERED = [
  'encoder',
  'input_conv',
  'conv',
  'weight',
  'blocks',
  'branches',
  'layers',
  'forward_mamba_real',
  'dt_bias',
  'upsample',
  'rescnn',
  'encoder_blocks',
  'bn',
  'bias',
  'fusion',
  'backward_mamba_real',
  'A_log',
  'decoder_blocks',
  'mamba',
  'downsample',
  'forward_mamba_fallback',
  'D',
  'output_conv',
  'decoder',
  'backward_mamba_fallback',
  'in_proj',
  'detection_head',
  'output_proj',
  'conv1d',
  'layer_norm',
  'norm',
  'out_proj',
];

/** `names` as `model.parameters()` lists them. Throws RangeError for a name that is not the detector's. */
export function inTorchOrder(names: Iterable<string>): string[] {
  const keyed = [...names].map((name) => ({ name, key: name.split('.').map(rank) }));
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ name }) => name);
}

function rank(part: string): number {
  const at = /^\d+$/.test(part) ? Number(part) : REGISTERED.indexOf(part);
  if (at < 0) throw new RangeError(`the detector has no part named ${part}`);
  return at;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
}
