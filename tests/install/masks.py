# SPDX-License-Identifier: MIT
"""Masks of binary PPM files as segment_frames.c writes them, by tpp.py; and what tpp.py refuses.

usage: masks.py MODEL OUT SENTENCE FRAME.ppm ..."""
import sys

import numpy as np

import tpp


def read_ppm(path):
    with open(path, "rb") as f:
        head = [f.readline() for _ in range(3)]
        width, height = (int(n) for n in head[1].split())
        return np.frombuffer(f.read(), np.uint8).reshape(height, width, 3)


def refused(status, part, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except tpp.Error as e:
        if e.status == status and part in e.message:
            return
        raise
    sys.exit(f"not refused: {part}")


def main(model_path, out, sentence, *paths):
    frames = np.stack([read_ppm(p) for p in paths])
    masks, records = tpp.segment(frames, sentence, model=model_path)
    assert masks.shape == frames.shape[:3] and masks.dtype == np.uint8 and masks.max() <= 1
    assert [r.frame for r in records] == list(range(len(paths)))
    for r, mask in zip(records, masks):
        with open(f"{out}/{r.frame:04d}.pgm", "wb") as f:
            f.write(b"P5\n%d %d\n255\n" % (mask.shape[1], mask.shape[0]))
            f.write((mask * 255).tobytes())

    with tpp.Model(model_path) as model, tpp.Device() as device:
        named, told = tpp.segment(frames, {"a": sentence, "b": [sentence, "the ground"]}, model,
                                  device, ahead=2)
        assert list(named) == ["a", "b"] and (named["a"] == masks).all()
        assert told["a"][1].box == records[1].box and told["b"][1].box != records[1].box
        p, _ = tpp.segment(frames, sentence, model, device, probabilities=True)
        assert p.dtype == np.float32 and ((p > 0.5) == masks)[np.abs(p - 0.5) > 1e-4].all()
        with tpp.Session(model, device, *frames.shape[1:]) as session:
            session.add(sentence)
            session.begin(0, 1)
            late = list(session.run(frames))
            assert late[0][1] == [None] and not late[0][0].any() and late[1][1][0].frame == 1
            session.reset()
            again = np.array([m[0] for m, _ in session.run(iter(frames))])
            assert (again == masks).all()
            refused("EUSAGE", "in use by 1", model.close)
            refused("EUSAGE", "uint8 of shape", session.push, frames[0, :-1])
            refused("EUSAGE", "before the first frame", session.add, "more")
        refused("EUSAGE", "closed", session.flush)
        refused("EUSAGE", "[T, H, W]", tpp.segment, frames * 1.0, sentence, model, device)
    refused("EIO", "no such folder", tpp.Model, "nowhere")
    refused("EUSAGE", "infer.short", tpp.Model, model_path, {"infer.shrt": 1})
    refused("EDEVICE", "no device fits", tpp.Device, "no such device")
    lines = []
    tpp.log("warn", lambda *line: lines.append(line))
    tpp.Model(model_path).close()
    tpp.log()
    assert [line[0] for line in lines] == ["warn"] and "synthetic" in lines[0][2]
    ramp = tpp.window(np.array([[0, 1, 2, 3], [np.nan, np.inf, -np.inf, 4]]), 1, 3)
    assert ramp.tolist() == [[0, 0, 128, 255], [0, 0, 0, 255]]


main(*sys.argv[1:])
