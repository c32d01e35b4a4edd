"""Production's detector with the convolution fallback, in PyTorch, as far as a checkpoint has to fit it."""
import json
import sys

import torch
from torch import nn


class ConvBlock(nn.Module):
    def __init__(self, i, o, k):
        super().__init__()
        self.conv = nn.Conv1d(i, o, k, padding=k // 2)
        self.bn = nn.BatchNorm1d(o)

    def forward(self, x):
        return torch.relu(self.bn(self.conv(x)))


class Encoder(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.input_conv = ConvBlock(19, widths[0], 7)
        before = [widths[0], *widths[:-1]]
        self.encoder_blocks = nn.ModuleList(
            nn.Sequential(ConvBlock(i, o, 5), ConvBlock(o, o, 5)) for i, o in zip(before, widths)
        )
        self.downsample = nn.ModuleList(nn.Conv1d(c, c, 2, stride=2) for c in widths)

    def forward(self, x):
        x, skips = self.input_conv(x), []
        for block, down in zip(self.encoder_blocks, self.downsample):
            x = block(x)
            skips.append(x)
            x = down(x)
        return x, skips


class ResCnnBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        third = c // 3
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv1d(c, o, k, padding=k // 2), nn.BatchNorm1d(o), nn.ReLU())
            for k, o in [(3, third), (5, third), (7, c - 2 * third)]
        )
        self.fusion = nn.Sequential(nn.Conv1d(c, c, 1), nn.BatchNorm1d(c))

    def forward(self, x):
        return torch.relu(x + self.fusion(torch.cat([branch(x) for branch in self.branches], 1)))


class Stack(nn.Module):
    def __init__(self, **lists):
        super().__init__()
        for name, modules in lists.items():
            setattr(self, name, nn.ModuleList(modules))


class BiLayer(nn.Module):
    def __init__(self, d, k):
        super().__init__()
        self.forward_mamba_fallback = nn.Conv1d(d, d, k, padding=k // 2, groups=d)
        self.backward_mamba_fallback = nn.Conv1d(d, d, k, padding=k // 2, groups=d)
        self.output_proj = nn.Linear(2 * d, d)
        self.layer_norm = nn.LayerNorm(d)

    def forward(self, x):
        y = x.transpose(1, 2)
        f = self.forward_mamba_fallback(y)
        r = self.backward_mamba_fallback(y.flip(2)).flip(2)
        return self.layer_norm(x + self.output_proj(torch.cat([f, r], 1).transpose(1, 2)))


class Decoder(nn.Module):
    def __init__(self, widths):
        super().__init__()
        pairs = [(c, widths[max(0, i - 1)]) for i, c in reversed(list(enumerate(widths)))]
        self.upsample = nn.ModuleList(nn.ConvTranspose1d(i, o, 2, stride=2) for i, o in pairs)
        self.decoder_blocks = nn.ModuleList(
            nn.Sequential(ConvBlock(o + i, o, 5), ConvBlock(o, o, 5)) for i, o in pairs
        )
        self.output_conv = nn.Conv1d(widths[0], 19, 1)

    def forward(self, x, skips):
        for up, block, skip in zip(self.upsample, self.decoder_blocks, reversed(skips)):
            x = block(torch.cat([up(x), skip], 1))
        return self.output_conv(x)


class Detector(nn.Module):
    def __init__(self, base, layers, kernel):
        super().__init__()
        widths = [base * 2**i for i in range(4)]
        self.encoder = Encoder(widths)
        self.rescnn = Stack(blocks=[ResCnnBlock(widths[-1]) for _ in range(3)])
        self.mamba = Stack(layers=[BiLayer(widths[-1], kernel) for _ in range(layers)])
        self.decoder = Decoder(widths)
        self.detection_head = nn.Conv1d(19, 1, 1)

    def forward(self, x):
        x, skips = self.encoder(x)
        for block in self.rescnn.blocks:
            x = block(x)
        x = x.transpose(1, 2)
        for layer in self.mamba.layers:
            x = layer(x)
        return self.detection_head(self.decoder(x.transpose(1, 2), skips)).squeeze(1)


path, window = sys.argv[1], sys.argv[2]
torch.manual_seed(0)
checkpoint = torch.load(path, map_location="cpu")
base = len(checkpoint["model_state_dict"]["encoder.input_conv.conv.weight"])
model = Detector(base, checkpoint["config"]["model"]["mamba"]["n_layers"], 5)
model.load_state_dict(checkpoint["model_state_dict"], strict=True)
with open(window) as file:
    x = torch.tensor(json.load(file)).T.unsqueeze(0)
model.eval()
with torch.no_grad():
    logits = model(x)[0].tolist()

optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.05)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5)
optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
scheduler.load_state_dict(checkpoint["scheduler_state_dict"])
names = [name for name, _ in model.named_parameters()]
shapes = all(
    optimizer.state[p]["exp_avg"].shape == p.shape for p in model.parameters() if p in optimizer.state
)
before = [p.detach().clone() for p in model.parameters()]
model.train()
model(x.repeat(2, 1, 1)).square().mean().backward()
optimizer.step()
scheduler.step()
moved = sum(bool((p != q).any()) for p, q in zip(model.parameters(), before))
print(
    json.dumps(
        {
            "keys": list(checkpoint),
            "logits": logits,
            "names": names,
            "shapes": shapes,
            "states": len(optimizer.state),
            "steps": float(optimizer.state[next(model.parameters())]["step"]),
            "moved": moved,
            "lr": optimizer.param_groups[0]["initial_lr"],
            "last_epoch": scheduler.last_epoch,
        }
    )
)
