#!/usr/bin/env python3
"""Golden files of switches that the reference program does not have, made with its own pieces
(float64).

    python3 make_switches.py [--reference PATH/tpp_ref.py] [FOLDER]

tpp_ref.py runs as it stands; each switch changes what goes into or comes out of one of its
functions (model.md 7 and 9 say what). Files hold several switches each; their metadata name them by
this program's own keys ("query.text"). Needs numpy and torch (Debian: python3-torch). Before
anything is written, the same machinery with no switch on is held against the reference.
"""
import argparse
import json
import os

import torch

from make_clip import HERE, REFERENCE, load

MICRO = ["backbone=tiny", "hidden=32", "heads=4", "ffn=64", "mask_dim=32", "enc_layers=1", "dec_layers=2",
         "text_layers=1", "text_hidden=32", "text_heads=2", "text_ffn=64", "vocab=100", "positions=32",
         "height=64", "width=80", "frames=3", "prompt_lengths=5,3,4"]
FILES = {  # reference keys, then switches
    "forward_switch_query": (["seed=8"], {
        "query.text": "mean_words", "prop.query_net": "mlp3", "prop.update_pos": "true",
        "model.num_classes": "3", "prompt.select_level": "-1", "fusion.weight_scope": "global"}),
    "forward_switch_memory": (["seed=2", "mem_source=current"], {
        "mem.mask_act": "sigmoid", "mem.residual": "true", "mem.fpn": "true"}),
    "forward_switch_mask": (["seed=1", "levels=3", "select_level=1", "dyn_channels=4"], {
        "mem.mask_act": "binary", "mem.fpn": "true", "mask.coord_scale": "stride"}),
    "forward_switch_heads": (["seed=50"], {
        "model.box_refine": "false", "model.rel_coord": "false", "fpn.text": "all",
        "prompt.select": "fixed", "prompt.fixed_index": "1"}),
    "forward_switch_no_text": (["seed=2"], {"text.ablate": "true"}),
}
WHOLE = 256  # values of a tensor that is kept whole
LEAST_LOGIT = 0.2  # the logit of a lone query that cancels to nearly 0 says nothing of an engine's error


class Switched:
    """The reference with switches on: patches its functions, and runs a sequence."""

    def __init__(self, ref, cfg, switches):
        self.ref, self.cfg, self.on = ref, ref.Cfg(cfg), switches
        self.linear, self.mlp3, self.msda = ref.linear, ref.mlp3, ref.msda
        self.vl_block, self.inv_sigmoid = ref.vl_block, ref.inv_sigmoid

    def has(self, key, value):
        return self.on.get(key) == value

    # ---- what the switches change

    def new_linear(self, W, x, name, out):
        if name == "fusion_module.ffn.0" and self.has("fusion.weight_scope", "global"):
            x = x.mean(0, keepdim=True).expand_as(x)
        if name.startswith("class_embed."):
            name = self.head(name)
            out = int(self.on.get("model.num_classes", out))
        y = self.linear(W, x, name, out)
        if name == "track_embed.linear2" and self.has("prop.query_net", "mlp3"):
            y = self.linear(W, torch.relu(y), "track_embed.linear3", out)
        return y

    def head(self, name):
        if not self.has("model.box_refine", "false"):
            return name
        return name.split(".")[0] + ".0"  # one pair of heads for all layers

    def new_mlp3(self, W, x, name, hidden, out):
        if name.startswith("bbox_embed."):
            name = self.head(name)
        if name != "controller":
            return self.mlp3(W, x, name, hidden, out)
        d, c = self.cfg.dyn_channels, self.cfg.mask_dim
        if self.has("model.rel_coord", "false"):
            theta = self.mlp3(W, x, name, hidden, out - 2 * d)
            w0 = theta[:, :d * c].reshape(-1, d, c)
            w0 = torch.cat([w0, torch.zeros_like(w0[..., :2])], -1).reshape(len(x), -1)
            return torch.cat([w0, theta[:, d * c:]], 1)
        theta = self.mlp3(W, x, name, hidden, out).clone()
        if self.has("mask.coord_scale", "stride"):
            theta[:, :d * (c + 2)].reshape(-1, d, c + 2)[..., c:] *= 0.25
        return theta

    def new_msda(self, W, z, ref_points, value, sizes, name, cfg):
        if name.startswith("transformer.decoder.") and self.has("model.box_refine", "false"):
            ref_points = self.first_reference
        return self.msda(W, z, ref_points, value, sizes, name, cfg)

    def new_inv_sigmoid(self, x, eps=1e-5):
        """Of the reference before each layer's box, and at last of the box that goes on."""
        self.inversions += 1
        if self.inversions <= self.cfg.dec_layers and self.has("model.box_refine", "false"):
            x = self.first_reference
        if self.inversions == 1 and self.has("mem.fpn", "true") and self.memory is not None:
            self.encoder[:len(self.memory)] = self.memory  # from here on the pixel decoder alone reads it
        return self.inv_sigmoid(x, eps)

    def new_vl_block(self, W, cfg, x, X, P, pad, h, w, r, name):
        if self.has("fpn.text", "all"):
            X, P, pad = *self.all_words, 0
        return self.vl_block(W, cfg, x, X, P, pad, h, w, r, name)

    # ---- which prompt: the reference takes the choice of one level

    def __index__(self):
        weights = [w.reshape(-1) for w in self.weights]
        if self.has("prompt.select", "fixed"):
            wanted = int(self.on["prompt.fixed_index"])
        else:
            wanted = int(sum(weights).argmax())
        for level, w in enumerate(weights):
            if int(w.argmax()) == wanted:
                return level
        raise SystemExit("no level chooses that prompt: take another seed")

    # ---- a sequence

    def run(self, keep):
        ref, cfg, W = self.ref, self.cfg, self.ref.Weights(self.cfg)
        images, _, ids, valid = ref.synth_inputs(cfg)
        words, sentence, hidden, pooled = ref.encode_text(W, cfg, ids, valid)
        if self.has("query.text", "mean_words"):
            sentence = torch.stack([w[:n].mean(0) for w, n in zip(words, valid)])
        if self.has("text.ablate", "true"):
            words, valid, cfg.query_init = torch.zeros_like(words), [words.shape[1]] * len(valid), "zeros"
        for name, x in (("hidden", hidden), ("pooled", pooled), ("words", words), ("sentence", sentence)):
            keep("text." + name, x)
        if "prompt.select" in self.on or "prompt.select_level" in self.on:
            cfg.select_level = self
        self.all_words = (torch.cat([w[:n] for w, n in zip(words, valid)]),
                          torch.cat([ref.sine1d(n, words.shape[1], cfg.hidden)[:n] for n in valid]))
        track = ref.first_track(W, cfg)
        for t, image in enumerate(images, 1):
            track = self.run_frame(W, image, words, sentence, valid, track, keep, t)

    def run_frame(self, W, image, words, sentence, valid, track, keep, t):
        self.weights, self.memory, self.inversions = [], None, 0
        self.first_reference = torch.sigmoid(track["ref"])

        def look(name, x):
            keep(name, x.clone())
            tensor = name.split(".")[1]
            if tensor.startswith("prompt_weight"):
                self.weights.append(x)
            if tensor == "encoder":
                self.encoder, self.level0 = x, x.clone()
            if tensor == "memory_read":
                if self.has("mem.residual", "true"):
                    x += self.encoder[:len(x)]
                self.memory = x

        if track["mask"] is not None:
            act = {"sigmoid": torch.sigmoid, "binary": lambda m: (m > 0).to(m.dtype)}
            track["mask"] = act.get(self.on.get("mem.mask_act"), lambda m: m)(track["mask"])
        following = self.ref.frame(W, self.cfg, image, words, sentence, valid, track, look, t)[3]
        following["mem"] = self.level0[:following["mem"].shape[0]]
        if self.has("prop.update_pos", "true"):
            following["qpos"] = self.update_pos(W, following["qpos"])
        return following

    def update_pos(self, W, x):
        c, y = self.cfg.hidden, x
        layers = 3 if self.has("prop.query_net", "mlp3") else 2
        for i in range(1, layers + 1):
            y = self.linear(W, y, f"track_pos_embed.linear{i}", c)
            y = torch.relu(y) if i < layers else y
        return self.ref.layer_norm(W, x + y, "track_pos_embed.norm")

    def run_patched(self, keep):
        names = ("linear", "mlp3", "msda", "vl_block", "inv_sigmoid")
        try:
            for name in names:
                setattr(self.ref, name, getattr(self, "new_" + name))
            with torch.no_grad():
                self.run(keep)
        finally:
            for name in names:
                setattr(self.ref, name, getattr(self, name))


class Keep:
    """The reference's, with a smaller limit for what is kept whole."""

    def __init__(self, cfg):
        self.out, self.info, self.sample = {}, {}, cfg.sample

    def __call__(self, name, t):
        a = t.detach().double().reshape(-1).numpy()
        self.info[name] = "x".join(map(str, t.shape)) or "1"
        if ".logit" in name and abs(a).max() < LEAST_LOGIT:
            raise SystemExit(f"{name} is at most {abs(a).max()}: take another seed")
        if a.size <= WHOLE:
            self.out[name] = a.copy()
            return
        step = a.size // self.sample
        self.out[name + "@sample"] = a[::step].copy()
        self.out[name + "@stats"] = torch.tensor([a.mean(), abs(a).mean(), abs(a).max(), float(step)]).numpy()


def check_no_switch(ref):
    cfg = ref.make_cfg(MICRO + ["seed=1"])
    ours, theirs = ref.Keep(cfg), ref.Keep(cfg)
    Switched(ref, cfg, {}).run_patched(ours)
    ref.run_forward(cfg, theirs)
    for name, want in theirs.out.items():
        if abs(ours.out[name] - want).max() > 1e-12:
            raise SystemExit(f"no switch on, and {name} differs from the reference")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--reference", default=REFERENCE)
    ap.add_argument("folder", nargs="?", default=HERE)
    a = ap.parse_args()
    torch.set_default_dtype(torch.float64)
    ref = load(a.reference)
    check_no_switch(ref)
    for name, (sets, switches) in FILES.items():
        cfg = ref.make_cfg(MICRO + sets)
        keep = Keep(cfg)
        Switched(ref, cfg, switches).run_patched(keep)
        meta = {**cfg, **switches, "shapes": json.dumps(keep.info, separators=(",", ":"))}
        path = os.path.join(a.folder, name + ".safetensors")
        ref.write_safetensors(path, keep.out, meta)
        print(f"{path}: {len(keep.out)} arrays, {os.path.getsize(path)} bytes; best",
              [int(v[0]) for k, v in keep.out.items() if k.endswith(".best")], "prompt",
              [int(v[0]) for k, v in keep.out.items() if k.endswith(".prompt")])


if __name__ == "__main__":
    main()
