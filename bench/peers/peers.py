"""Times parts of the model in other CPU engines, in turns with this one.

All get the same weights and the same input in float32, as many threads as the OpenCL device has
units, and what they compute is held against ours before anything is timed. Results go to
OUT/results.json, where other parts and sizes stay, and all of them to OUT/table.md.
SPDX-License-Identifier: MIT
"""
import argparse
import contextlib
import copy
import io
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
from safetensors import safe_open

import model

TOLERANCE = 1e-4  # of the largest value of an output
REST_SECONDS = 0.1  # between engines: their idle threads stop spinning
FAR = 4


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---- engines: run(x) computes; outputs() gives arrays of the last run, maps as [tokens, channels] ----


class Engine:
    """Times itself; those in other processes do it their own way."""

    def times(self, n):
        seconds = []
        for _ in range(n):
            start = time.perf_counter()
            self.run()
            seconds.append(time.perf_counter() - start)
        return seconds


class Ours(Engine):
    def __init__(self, a):
        command = [a.program, "--serve", "--part", a.part, "--size", a.size, "--config", a.config]
        if a.algorithm:
            command += ["--algorithm", a.algorithm]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.facts = self.answer()
        self.name, self.version = "tpp", f"{self.facts['version']}, {self.facts['driver']}"

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bench_graph ended")
        return json.loads(line)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def times(self, n):
        return self.ask(f"run {n}")["seconds"]

    def outputs_of(self, arrays, folder):
        """The outputs for the inputs `arrays`, through files in `folder`."""
        source, target = os.path.join(folder, "check.in"), os.path.join(folder, "check.out")
        np.concatenate([x.ravel() for x in arrays]).astype("<f4").tofile(source)
        self.ask(f"check {source} {target}")
        flat, out = np.fromfile(target, "<f4"), []
        for tensor in self.facts["out"]:
            shape = tensor["shape"][1:]
            count = int(np.prod(shape))
            out.append(flat[:count].reshape(shape))
            flat = flat[count:]
        for path in (source, target):
            os.remove(path)
        return out


def tokens(array):
    """[1, C, h, w] or [1, n, C] to [n, C]."""
    array = np.asarray(array)
    if array.ndim == 4:
        array = array.transpose(0, 2, 3, 1)
    return array.reshape(-1, array.shape[-1])


class Torch(Engine):
    version = torch.__version__

    def __init__(self, name, module, x, channels_last=False, compiled=False):
        self.name = name
        if channels_last:
            module = copy.deepcopy(module).to(memory_format=torch.channels_last)
            x = x.to(memory_format=torch.channels_last)
        self.module = torch.compile(module) if compiled else module
        self.x = x

    def run(self):
        with torch.inference_mode():
            self.y = self.module(self.x)

    def outputs(self):
        return [tokens(y) for y in (self.y if isinstance(self.y, tuple) else (self.y,))]


class OnnxRuntime(Engine):
    def __init__(self, path, x, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.name, self.version = "ONNX Runtime", onnxruntime.__version__
        self.session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self.feed = {self.session.get_inputs()[0].name: np.ascontiguousarray(x.numpy())}

    def run(self):
        self.y = self.session.run(None, self.feed)

    def outputs(self):
        return [tokens(y) for y in self.y]


class OpenVino(Engine):
    def __init__(self, path, x, threads):
        import openvino

        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self.name, self.version = "OpenVINO", openvino.__version__.split("-")[0]
        self.request = openvino.Core().compile_model(path, "CPU", settings).create_infer_request()
        self.request.set_input_tensor(openvino.Tensor(np.ascontiguousarray(x.numpy())))

    def run(self):
        self.request.infer()

    def outputs(self):
        return [tokens(t.data) for t in self.request.output_tensors]


# ---- parts ----


def make_part(a, height, width):
    """The module, its input as PyTorch wants it, and the same input as ours does."""
    random = np.random.default_rng(1)
    with safe_open(a.weights, "pt") as f:
        prefix = model.BODY if a.part == "backbone" else "transformer."
        weights = {name: f.get_tensor(name) for name in f.keys() if name.startswith(prefix)}
    if a.part == "backbone":
        pixels = random.standard_normal((1, height * width, 3), dtype=np.float32)
        image = torch.from_numpy(pixels.reshape(1, height, width, 3)).permute(0, 3, 1, 2)
        return model.Backbone(weights).eval(), image.contiguous(), [pixels]
    sizes = model.level_sizes(height, width)
    levels = [
        random.standard_normal((1, h * w, model.HIDDEN), dtype=np.float32) for h, w in sizes
    ]
    x = torch.from_numpy(np.concatenate(levels, 1))
    return model.Encoder(weights, height, width).eval(), x, levels


def export(module, x, path):
    if os.path.exists(path):
        return
    say(f"exporting {path}")
    with torch.inference_mode(), contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(module, (x,), path + ".part", dynamo=True, external_data=False)
    os.replace(path + ".part", path)


def make_peers(a, module, x, threads):
    """Functions that make an engine; one that cannot is told of and left out."""
    path = os.path.join(a.out, f"{a.part}_{a.size}.onnx")
    yield lambda: Torch("PyTorch eager", module, x)
    if a.part == "backbone":
        yield lambda: Torch("PyTorch channels_last", module, x, channels_last=True)
        yield lambda: Torch(
            "torch.compile, channels_last", module, x, channels_last=True, compiled=True
        )
    else:
        yield lambda: Torch("torch.compile", module, x, compiled=True)

    def of_onnx(make):
        export(module, x, path)
        return make(path, x, threads)

    yield lambda: of_onnx(OnnxRuntime)
    yield lambda: of_onnx(OpenVino)


def difference(got, want):
    """The largest, each output by its largest value; infinite when shapes or numbers are wrong."""
    worst = 0.0
    if [g.shape for g in got] != [w.shape for w in want]:
        return float("inf")
    for g, w in zip(got, want):
        e = float(np.abs(g - w).max() / np.abs(w).max())
        worst = max(worst, e if np.isfinite(e) else float("inf"))
    return worst


# ---- measuring ----


def measure(engines, rounds, n):
    """Blocks of n runs after one that is not counted, engine by engine, round by round; each
    engine's list of medians of a block, and its least time. What takes FAR times as long as ours in
    the first round, and two runs of it, is left out of the others."""
    medians, least = [[] for _ in engines], [float("inf")] * len(engines)
    for r in range(rounds):
        for i, engine in enumerate(engines):
            if r > 0 and medians[i][0] > FAR * medians[0][0]:
                continue
            time.sleep(REST_SECONDS)
            warm = engine.times(1)[0]
            is_far = i > 0 and warm > FAR * medians[0][0]
            seconds = engine.times(2 if is_far else n)
            medians[i].append(statistics.median(seconds))
            least[i] = min(least[i], *seconds)
    return medians, least


def result_rows(a, ours, engines, errors, medians, least, peak):
    base = statistics.median(medians[0])
    for engine, error, blocks, best in zip(engines, errors, medians, least):
        median = statistics.median(blocks)
        yield {
            "size": a.size,
            "part": a.part,
            "engine": engine.name,
            "version": engine.version,
            "median": median,
            "least": best,
            "gflops": ours.facts["flops"] / median * 1e-9,
            "peak": ours.facts["flops"] / median * 1e-9 / peak,
            "ratio": median / base,
            "difference": error,
        }


def keep(a, ours, rows):
    path = os.path.join(a.out, "results.json")
    known = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            known = json.load(f)["rows"]
    known = [r for r in known if (r["size"], r["part"]) != (a.size, a.part)] + rows
    device = {k: ours.facts[k] for k in ("device", "platform", "driver", "units", "vector")}
    write(path, json.dumps({"device": device, "rows": known}, indent=1) + "\n")
    lines = [
        f"{device['device']}, {device['platform']} {device['driver']}, {device['units']} threads each;"
        f" \"by ours\" is the median divided by that of ours: above 1, ours is faster",
        "",
        "| size | part | engine | version | median s | least s | GFLOP/s | of FMA peak | by ours |"
        " difference |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in sorted(known, key=lambda r: (r["size"], r["part"], r["median"])):
        lines.append(
            f"| {r['size']} | {r['part']} | {r['engine']} | {r['version']} | {r['median']:.4f} |"
            f" {r['least']:.4f} | {r['gflops']:.0f} | {r['peak']:.0%} | {r['ratio']:.2f} |"
            f" {r['difference']:.0e} |"
        )
    write(os.path.join(a.out, "table.md"), "\n".join(lines) + "\n")


def write(path, text):
    with open(path + ".part", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".part", path)


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--part", choices=["backbone", "encoder"], default="backbone")
    p.add_argument("--size", default="360x640", metavar="HxW")
    p.add_argument("--rounds", type=int, default=5, help="[5]; 0: only exports, compiles and checks")
    p.add_argument("--runs", type=int, default=5, help="of a block [5]")
    p.add_argument("--algorithm", help="of ours; default: what it chooses itself")
    p.add_argument("--program", default="build/bench/bench_graph")
    p.add_argument("--config", default="configs/r50.yaml")
    p.add_argument("--weights", default="out/peers/weights/weights.safetensors")
    p.add_argument("--out", default="out/peers")
    return p.parse_args()


def main():
    a = parse()
    ours = Ours(a)
    threads = ours.facts["units"]
    torch.set_num_threads(threads)
    height, width = map(int, a.size.split("x"))
    module, x, arrays = make_part(a, height, width)
    want = ours.outputs_of(arrays, a.out)
    engines, errors, failed = [ours], [0.0], 0
    for make in make_peers(a, module, x, threads):
        try:
            engine = make()
            engine.run()
        except Exception as e:  # an engine that lacks an operator is no reason to leave out others
            say(f"left out: {type(e).__name__}: {str(e)[:300]}")
            failed += 1
            continue
        error = difference(engine.outputs(), want)
        say(f"{a.size} {a.part}, {engine.name}: differs by {error:.1e}")
        if error > TOLERANCE:
            failed += 1
            continue
        engines.append(engine)
        errors.append(error)
    if a.rounds > 0:
        peaks = [ours.ask("peak")["gflops"]]
        medians, least = measure(engines, a.rounds, a.runs)
        peaks.append(ours.ask("peak")["gflops"])
        rows = list(result_rows(a, ours, engines, errors, medians, least, max(peaks)))
        keep(a, ours, rows)
        for r in sorted(rows, key=lambda r: r["median"]):
            say(f"  {r['engine']:30} {r['median']:.4f} s  {r['gflops']:.0f} GFLOP/s  {r['ratio']:.2f}")
    ours.process.stdin.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
