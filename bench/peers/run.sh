#!/bin/bash
# Other CPU engines beside this one, on parts of the model: out/peers/table.md and results.json.
#
#   bench/peers/run.sh [options of peers.py]      both parts at both sizes
#
# TPP_BUILD: build folder with bench/bench_graph (build). TPP_ALONE: a command that runs another
# when nobody else uses the machine, before each measurement ("flock -x FILE"). TPP_PEERS_PYTHON: a
# Python that has requirements.txt already; else out/peers/venv is made.
# SPDX-License-Identifier: MIT
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=bench/peers out=out/peers build=${TPP_BUILD:-build}
die() { printf 'peers: %s\n' "$*" >&2; exit 1; }

[ -x "$build/bench/bench_graph" ] ||
    die "$build/bench/bench_graph is not there; cmake --preset release -DTPP_BENCH=ON, and build"
mkdir -p "$out"

python=${TPP_PEERS_PYTHON:-$out/venv/bin/python}
if [ -z "${TPP_PEERS_PYTHON:-}" ] && ! cmp -s "$here/requirements.txt" "$out/venv/installed"; then
    python3 -m venv "$out/venv"
    # Where the CPU build can be had it is preferred: its version sorts after the plain one.
    "$python" -m pip install -q --index-url https://download.pytorch.org/whl/cpu \
        --retries 0 --timeout 20 "$(grep '^torch==' "$here/requirements.txt")" 2>/dev/null ||
        echo "peers: no CPU build of torch; taking that of PyPI, with CUDA's libraries" >&2
    "$python" -m pip install -q -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$out/venv/installed"
fi

# Weights by the engine's rule, as bench_graph makes them; a small text encoder, which is not used.
[ -f "$out/weights/weights.safetensors" ] ||
    "$build/tpp" weights synth --config configs/r50.yaml --seed 1 -o "$out/weights" \
        --set text.layers=1 --set text.hidden=64 --set text.heads=4 --set text.ffn=128 \
        --set text.vocab=2000

# The engines choose their threads and kernels themselves.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE OPENBLAS_NUM_THREADS OMP_NUM_THREADS MKL_NUM_THREADS
export TORCHINDUCTOR_CACHE_DIR=$PWD/$out/inductor

failed=0
for size in 360x640 640x640; do
    for part in backbone encoder; do
        common=(--program "$build/bench/bench_graph" --part "$part" --size "$size" "$@")
        "$python" "$here/peers.py" "${common[@]}" --rounds 0 || failed=1 # compiles
        ${TPP_ALONE:-} "$python" "$here/peers.py" "${common[@]}" || failed=1
    done
done
cat "$out/table.md"
exit "$failed"
