/**
 * Production's detector with the convolution mixer, written again in PyTorch, only to count what autograd saves: every
 * storage that `saved_tensors_hooks` sees, once, without parameters, buffers, the window and the labels. In fp32 by the rules of
 * PyTorch's CPU backend, in bf16 by those of its CUDA backend, as far as they can be followed without a GPU.
 */
import type { DetectorConfig } from '../../../src/models/detector';
import { torch } from '../checkpoints/python';

const SCRIPT = `
import json, sys
import torch
import torch.nn.functional as F
from torch import nn

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
        x, skips = self.input(x), []
        for block, down in zip(self.encoder, self.down):
            skips.append(block(x))
            x = down(skips[-1])
        for block in self.residual: x = block(x)
        x = x.transpose(1, 2)
        for layer in self.mamba: x = layer(x)
        x = x.transpose(1, 2)
        for up, block in zip(self.up, self.decoder): x = block(torch.cat([upsampled(up, x), skips.pop()], 1))
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

/** Without autocast, and with it in bf16. */
export function savedByTorch(model: DetectorConfig, length: number): Record<'fp32' | 'bf16', SavedByTorch> {
  return torch(SCRIPT, JSON.stringify({ ...model, length })) as Record<'fp32' | 'bf16', SavedByTorch>;
}
