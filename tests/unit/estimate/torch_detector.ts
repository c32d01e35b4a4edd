/** The trainer's detector with the convolution mixer, written again in PyTorch, only to count what it takes of memory. */
import type { DetectorConfig } from '../../../src/models/detector';
import { torch } from '../checkpoints/python';

const DETECTOR = `
import json, sys
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

half = False
def part(module, x):
    return checkpoint(module, x, use_reentrant=False) if cfg.get("checkpointing") else module(x)

cfg = json.loads(sys.argv[1])

class ConvBlock(nn.Module):
    def __init__(self, i, o, k):
        super().__init__()
        self.conv, self.bn = nn.Conv1d(i, o, k, padding=k // 2), nn.BatchNorm1d(o)
    def forward(self, x): return F.relu(self.bn(self.conv(x)))

class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        kernels, p = cfg["kernelSizes"], cfg["dropout"]
        share = c // len(kernels)
        outs = [share] * (len(kernels) - 1) + [c - share * (len(kernels) - 1)]
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv1d(c, o, k, padding=k // 2), nn.BatchNorm1d(o), nn.ReLU()) for o, k in zip(outs, kernels))
        self.fusion, self.p = nn.Sequential(nn.Conv1d(c, c, 1), nn.BatchNorm1d(c)), p
    def forward(self, x):
        y = self.fusion(torch.cat([branch(x) for branch in self.branches], 1))
        return F.relu((F.dropout1d(y, self.p) if self.p else y) + x)

class Layer(nn.Module):
    def __init__(self, d):
        super().__init__()
        k = cfg["convKernel"]
        self.f = nn.Conv1d(d, d, k, padding=k // 2, groups=d)
        self.b = nn.Conv1d(d, d, k, padding=k // 2, groups=d)
        self.proj, self.norm, self.p = nn.Linear(2 * d, d), nn.LayerNorm(d), cfg["dropout"]
    def forward(self, x):
        f = self.f(x.transpose(1, 2)).transpose(1, 2)
        r = self.b(x.flip(1).transpose(1, 2)).transpose(1, 2).flip(1)
        y = self.proj(torch.cat([f, r], -1))
        # As CUDA has it: dropout with a mask of bytes, LayerNorm out of autocast.
        if not half: return self.norm(x + (F.dropout(y, self.p) if self.p else y))
        y = x + (torch.native_dropout(y, self.p, True)[0] if self.p else y)
        with torch.autocast("cpu", enabled=False): return self.norm(y.float())

class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        base, electrodes = cfg["baseChannels"], cfg["electrodes"]
        w = [base * 2**i for i in range(cfg["depth"])]
        self.input = ConvBlock(electrodes, base, 7)
        self.encoder = nn.ModuleList(nn.Sequential(ConvBlock(a, c, 5), ConvBlock(c, c, 5)) for a, c in zip([base] + w, w))
        self.down = nn.ModuleList(nn.Conv1d(c, c, 2, stride=2) for c in w)
        self.residual = nn.ModuleList(Residual(w[-1]) for _ in range(cfg["rescnnBlocks"]))
        self.mamba = nn.ModuleList(Layer(w[-1]) for _ in range(cfg["layers"]))
        ins, outs = w[::-1], w[-2::-1] + w[:1]
        self.up = nn.ModuleList(nn.ConvTranspose1d(i, o, 2, stride=2) for i, o in zip(ins, outs))
        self.decoder = nn.ModuleList(nn.Sequential(ConvBlock(o + c, o, 5), ConvBlock(o, o, 5)) for o, c in zip(outs, ins))
        self.out, self.head = nn.Conv1d(base, electrodes, 1), nn.Conv1d(electrodes, 1, 1)
    def forward(self, x):
        x, skips = part(self.input, x), []
        for block, down in zip(self.encoder, self.down):
            skips.append(part(block, x))
            x = down(skips[-1])
        for block in self.residual: x = part(block, x)
        x = x.transpose(1, 2)
        for layer in self.mamba: x = part(layer, x)
        x = x.transpose(1, 2)
        for up, block in zip(self.up, self.decoder):
            x = part(lambda x, up=up: upsampled(up, x), x)
            x = part(block, torch.cat([x, skips.pop()], 1))
        return self.head(self.out(x)).squeeze(1)

# PyTorch 1 has no transposed convolution in bf16 on a CPU, PyTorch 2 has: this one saves as that of fp32 does.
class Transposed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return F.conv_transpose1d(x.float(), weight.float(), bias.float(), stride=2).bfloat16()
    @staticmethod
    def backward(ctx, dy): raise NotImplementedError

def upsampled(up, x):
    if not half: return up(x)
    with torch.autocast("cpu", enabled=False): return Transposed.apply(x.bfloat16(), up.weight.bfloat16(), up.bias.bfloat16())

`;

const SAVED = `
def saved(batch):
    model = Detector()
    x, y = torch.randn(batch, cfg["electrodes"], cfg["length"]), torch.rand(batch, cfg["length"]).round()
    ignored = {t.storage().data_ptr() for t in [*model.parameters(), *model.buffers(), x, y]}
    found, kept = {}, []
    def pack(t):
        storage = t.storage()
        found[storage.data_ptr()] = storage.nbytes()
        kept.append(t)
        return t
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half): logits = model(x)
        loss = F.binary_cross_entropy_with_logits(logits.float(), y)
    return sum(bytes for at, bytes in found.items() if at not in ignored), sum(p.numel() for p in model.parameters())

counts = []
for half in (False, True):
    dtype = torch.bfloat16 if half else torch.float32
    (one, parameters), (two, _) = saved(2), saved(4)
    counts.append({"perWindow": (two - one) / 2, "fixed": 2 * one - two, "parameters": parameters})
print(json.dumps(dict(zip(["fp32", "bf16"], counts))))
`;

export interface SavedByTorch {
  readonly perWindow: number;
  readonly fixed: number;
  readonly parameters: number;
}

/**
 * What autograd saves: every storage that `saved_tensors_hooks` sees, once, without parameters, buffers, the window and the
 * labels. In fp32 by the rules of PyTorch's CPU backend, in bf16 by those of its CUDA backend, as far as they can be
 * followed without a GPU.
 */
export function savedByTorch(model: DetectorConfig, length: number): Record<'fp32' | 'bf16', SavedByTorch> {
  return torch(DETECTOR + SAVED, JSON.stringify({ ...model, length })) as Record<
    'fp32' | 'bf16',
    SavedByTorch
  >;
}

const PEAKS = `
from torch.profiler import ProfilerActivity, profile, record_function

torch.set_num_threads(1)
model = Detector()
x, y = torch.randn(cfg["batch"], cfg["electrodes"], cfg["length"]), torch.rand(cfg["batch"], cfg["length"]).round()
for _ in range(2):
    model.zero_grad(set_to_none=True)
    logits = loss = None
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        logits = model(x)
        loss = F.binary_cross_entropy_with_logits(logits, y)
        with record_function("loss.backward"): pass
        loss.backward()
events = profiled.profiler.kineto_results.events()
at = lambda event: event.start_ns() if hasattr(event, "start_ns") else event.start_us()
[begun] = [at(event) for event in events if event.name() == "loss.backward"]
held, forward, peak = 0, 0, 0
for event in events:
    if event.name() != "[memory]": continue
    held += event.nbytes()
    if at(event) < begun: forward = held
    else: peak = max(peak, held)
print(json.dumps({"forward": forward, "peak": peak, "gradients": held}))
`;

/** Bytes more than before the step: when the forward pass ends, at the most in the backward pass, and when that ends. */
export interface PeaksByTorch {
  readonly forward: number;
  readonly peak: number;
  readonly gradients: number;
}

/** What PyTorch's profiler sees allocated and freed on the CPU, in fp32. */
export function peaksByTorch(
  model: DetectorConfig,
  run: { readonly length: number; readonly batch: number; readonly checkpointing: boolean },
): PeaksByTorch {
  return torch(DETECTOR + PEAKS, JSON.stringify({ ...model, ...run })) as PeaksByTorch;
}
