"""ResNet-50 and the deformable encoder as plain PyTorch modules, with the engine's weights.

Names and formulas: the engine's host/model/backbone_resnet.c and deform_encoder.c. Maps are
[B, C, h, w], sequences [B, tokens, C].
SPDX-License-Identifier: MIT
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

BODY = "backbone.0.body."
BLOCKS = (3, 4, 6, 3)
HIDDEN, HEADS, POINTS, LAYERS, FFN = 256, 8, 4, 4, 2048


class Folded(nn.Module):
    """A convolution whose frozen batch norm is in its weight and bias, as every engine would do."""

    def __init__(self, weights, conv, norm, stride, pad):
        super().__init__()
        w = weights[conv + ".weight"].double()
        gamma, beta, mean, var = (
            weights[f"{norm}.{part}"].double()
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / torch.sqrt(var + 1e-5)
        self.conv = nn.Conv2d(w.shape[1], w.shape[0], w.shape[2], stride, pad)
        self.conv.weight.data = (w * scale[:, None, None, None]).float()
        self.conv.bias.data = (beta - mean * scale).float()

    def forward(self, x):
        return self.conv(x)


class Bottleneck(nn.Module):
    def __init__(self, weights, prefix, stride, project):
        super().__init__()
        self.a = Folded(weights, prefix + ".conv1", prefix + ".bn1", 1, 0)
        self.b = Folded(weights, prefix + ".conv2", prefix + ".bn2", stride, 1)
        self.c = Folded(weights, prefix + ".conv3", prefix + ".bn3", 1, 0)
        self.shortcut = nn.Identity()
        if project:
            self.shortcut = Folded(
                weights, prefix + ".downsample.0", prefix + ".downsample.1", stride, 0
            )

    def forward(self, x):
        y = self.c(F.relu(self.b(F.relu(self.a(x)))))
        return F.relu(y + self.shortcut(x))


class Backbone(nn.Module):
    """Image [B, 3, H, W] to res2 .. res5."""

    def __init__(self, weights):
        super().__init__()
        self.stem = Folded(weights, BODY + "conv1", BODY + "bn1", 2, 3)
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(
                    Bottleneck(
                        weights,
                        f"{BODY}layer{i + 1}.{b}",
                        2 if i > 0 and b == 0 else 1,
                        b == 0,
                    )
                    for b in range(blocks)
                )
            )
            for i, blocks in enumerate(BLOCKS)
        )

    def forward(self, image):
        x = F.max_pool2d(F.relu(self.stem(image)), 3, 2, 1)
        out = []
        for stage in self.stages:
            x = stage(x)
            out.append(x)
        return tuple(out)


def sine2d(h, w):
    """Positions of a map, [h*w, HIDDEN]; the first half of the channels is y."""
    half = HIDDEN // 2
    k = torch.arange(half, dtype=torch.float64)
    omega = 10000.0 ** (-2 * torch.floor(k / 2) / half)

    def axis(n):
        at = (torch.arange(1, n + 1, dtype=torch.float64) - 0.5) / (n + 1e-6) * 2 * math.pi
        v = at[:, None] * omega[None]
        return torch.where(k.long() % 2 == 0, v.sin(), v.cos())

    y = axis(h)[:, None].expand(h, w, half)
    x = axis(w)[None].expand(h, w, half)
    return torch.cat([y, x], -1).reshape(h * w, HIDDEN).float()


def level_sizes(height, width):
    """Sizes of the maps of stride 8, 16, 32 and 64."""

    def halve(n):
        return (n - 1) // 2 + 1

    sizes, h, w = [], halve(halve(height)), halve(halve(width))
    for _ in range(4):
        h, w = halve(h), halve(w)
        sizes.append((h, w))
    return sizes


class Layer(nn.Module):
    """Deformable attention by grid_sample, then the feed-forward block; post-norm."""

    def __init__(self, weights, prefix, sizes):
        super().__init__()
        self.sizes = sizes

        def linear(name):
            w, b = weights[f"{prefix}.{name}.weight"], weights[f"{prefix}.{name}.bias"]
            made = nn.Linear(w.shape[1], w.shape[0])
            made.weight.data, made.bias.data = w.float(), b.float()
            return made

        def norm(name):
            made = nn.LayerNorm(HIDDEN, eps=1e-5)
            made.weight.data = weights[f"{prefix}.{name}.weight"].float()
            made.bias.data = weights[f"{prefix}.{name}.bias"].float()
            return made

        self.value = linear("self_attn.value_proj")
        self.offsets = linear("self_attn.sampling_offsets")
        self.weights = linear("self_attn.attention_weights")
        self.out = linear("self_attn.output_proj")
        self.linear1, self.linear2 = linear("linear1"), linear("linear2")
        self.norm1, self.norm2 = norm("norm1"), norm("norm2")

    def attend(self, z, x, centres):
        n, depth, levels = x.shape[1], HIDDEN // HEADS, len(self.sizes)
        value = self.value(x).reshape(n, HEADS, depth)
        offsets = self.offsets(z).reshape(n, HEADS, levels, POINTS, 2)
        weights = self.weights(z).reshape(n, HEADS, levels * POINTS).softmax(-1)
        start, sampled = 0, []
        for level, (h, w) in enumerate(self.sizes):
            part = value[start : start + h * w].permute(1, 2, 0).reshape(HEADS, depth, h, w)
            start += h * w
            size = torch.tensor([w, h], dtype=x.dtype, device=x.device)
            place = centres[:, None, None] + offsets[:, :, level] / size
            grid = (2 * place - 1).permute(1, 0, 2, 3)  # [HEADS, n, POINTS, 2]
            sampled.append(
                F.grid_sample(part, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
            )
        samples = torch.cat(sampled, -1)  # [HEADS, depth, n, levels*POINTS]
        y = (samples * weights.permute(1, 0, 2)[:, None]).sum(-1)
        return self.out(y.permute(2, 0, 1).reshape(1, n, HIDDEN))

    def forward(self, x, pos, centres):
        x = self.norm1(x + self.attend(x + pos, x, centres))
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))


class Encoder(nn.Module):
    """The levels one after another, [1, S, HIDDEN], to the encoder's output of that shape."""

    def __init__(self, weights, height, width):
        super().__init__()
        sizes = level_sizes(height, width)
        embed = weights["transformer.level_embed"].float()
        pos = [sine2d(h, w) + embed[i] for i, (h, w) in enumerate(sizes)]
        centres = [
            torch.stack(
                torch.meshgrid(
                    (torch.arange(w, dtype=torch.float64) + 0.5) / w,
                    (torch.arange(h, dtype=torch.float64) + 0.5) / h,
                    indexing="xy",
                ),
                -1,
            ).reshape(h * w, 2)
            for h, w in sizes
        ]
        self.register_buffer("pos", torch.cat(pos)[None])
        self.register_buffer("centres", torch.cat(centres).float())
        self.layers = nn.ModuleList(
            Layer(weights, f"transformer.encoder.layers.{i}", sizes) for i in range(LAYERS)
        )

    def forward(self, x):
        for layer in self.layers:
            x = layer(x, self.pos, self.centres)
        return x
