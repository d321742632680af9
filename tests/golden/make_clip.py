#!/usr/bin/env python3
"""Golden files of mode=clip, made with the reference program's own pieces (float64).

    python3 make_clip.py [--reference PATH/tpp_ref.py] [FOLDER]

The reference runs frame by frame. Here all frames of a clip run side by side, a thread each, and
stop at every self-attention of the pixel decoder until all have their tokens: each then attends to
the tokens of all frames (model.md 2.11). Everything else is tpp_ref.py as it stands. The best query
is the one whose probability, averaged over the frames, is largest (2.13); its average is the score.

Needs numpy and torch (Debian: python3-torch). Before anything is written, a clip of one frame is
held against the reference's own first frame.
"""
import argparse
import importlib.util
import json
import os
import re
import threading

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = os.path.join(HERE, "..", "..", "..", "shared", "reference", "tpp_ref.py")
SIZE = ["backbone=tiny", "height=75", "width=118", "text_layers=2", "text_hidden=64",
        "text_heads=4", "text_ffn=128", "vocab=1000", "positions=64"]
CLIP = ["prop_box=0", "prop_mask=0", "prop_query=0", "topk=5"]
FILES = {  # ReferFormer; and TPP's fusion, where every frame chooses its own prompt
    "forward_tiny_referformer": SIZE + CLIP + ["frames=3", "seed=5", "prompt_lengths=8", "fusion=single"],
    "forward_tiny_clip_prompts": SIZE + CLIP + ["frames=4", "seed=15", "height=64", "width=96"],
}


def load(path):
    spec = importlib.util.spec_from_file_location("tpp_ref", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Meeting:
    """What the frames of a clip tell each other: keys and values of one self-attention at a time."""

    def __init__(self, frames):
        self.barrier = threading.Barrier(frames, timeout=600)
        self.keys, self.values = [None] * frames, [None] * frames
        self.here = threading.local()

    def gather(self, k, v):
        self.keys[self.here.frame], self.values[self.here.frame] = k, v
        self.barrier.wait()
        both = torch.cat(self.keys), torch.cat(self.values)
        self.barrier.wait()
        return both


def run_clip(ref, cfg):
    """The kept tensors of a clip of cfg.frames frames."""
    weights, meeting, keep = ref.Weights(cfg), Meeting(cfg.frames), ref.Keep(cfg)
    images, _, ids, valid = ref.synth_inputs(cfg)
    kept, logits, faults = [[] for _ in images], [None] * len(images), []
    mha = ref.mha

    def mha_over_clip(W, q, k, v, name, heads, pad=None):
        if re.fullmatch(r"pixel_decoder\.cross_attn_\d\.self_attn", name):
            k, v = meeting.gather(k, v)
        return mha(W, q, k, v, name, heads, pad)

    def run_frame(t):
        try:
            meeting.here.frame = t
            with torch.no_grad():
                out = ref.frame(weights, cfg, images[t], words, sentence, valid, track,
                                lambda name, x: kept[t].append((name, x)), t + 1)
            logits[t] = out[0][-1]
        except BaseException as fault:  # the others must not wait for it
            faults.append(fault)
            meeting.barrier.abort()

    with torch.no_grad():
        words, sentence, hidden, pooled = ref.encode_text(weights, cfg, ids, valid)
        track = ref.first_track(weights, cfg)
    for name, x in (("hidden", hidden), ("pooled", pooled), ("words", words), ("sentence", sentence)):
        keep("text." + name, x)
    ref.mha = mha_over_clip
    try:
        threads = [threading.Thread(target=run_frame, args=(t,)) for t in range(len(images))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        ref.mha = mha
    if faults:
        raise faults[0]
    scores = torch.stack([torch.sigmoid(x) for x in logits]).mean(0).max(-1)[0]
    best = int(scores.argmax())
    for t, tensors in enumerate(kept, 1):
        for name, x in tensors:
            keep(name, x if name != f"frame{t}.best" else torch.tensor([float(best)]))
        keep(f"frame{t}.score", scores[best].reshape(1))
    print("  best by frame", [int(x.max(-1)[0].argmax()) for x in logits], "of the clip", best,
          "scores", [round(float(s), 4) for s in scores], "prompts",
          [int(x[0]) for tensors in kept for name, x in tensors if name.endswith(".prompt")])
    return keep


def check_one_frame(ref, sets):
    """A clip of one frame is a first frame."""
    cfg = ref.make_cfg(sets + ["frames=1"])
    clip, online = run_clip(ref, cfg), ref.Keep(cfg)
    ref.run_forward(cfg, online)
    for name, want in online.out.items():
        error = abs(clip.out[name] - want).max()
        if error > 1e-12:
            raise SystemExit(f"a clip of one frame: {name} is off by {error}")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--reference", default=REFERENCE)
    ap.add_argument("folder", nargs="?", default=HERE)
    a = ap.parse_args()
    torch.set_default_dtype(torch.float64)
    ref = load(a.reference)
    for name, sets in FILES.items():
        print(name)
        check_one_frame(ref, sets)
        cfg = ref.make_cfg(sets)
        keep = run_clip(ref, cfg)
        meta = dict(cfg, mode="clip", shapes=json.dumps(keep.info, separators=(",", ":")))
        path = os.path.join(a.folder, name + ".safetensors")
        ref.write_safetensors(path, keep.out, meta)
        print(f"  {path}: {len(keep.out)} arrays, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
