#!/bin/sh
# compare_blas with OpenBLAS at its best: threads that do not spin into the next measurement, and the
# kernels that it chooses itself for this processor, whatever the environment says.
# usage: bench/compare_blas.sh [options of compare_blas]; TPP_BUILD: the build folder (build)
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/.."
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE OPENBLAS_NUM_THREADS OMP_NUM_THREADS
export OPENBLAS_THREAD_TIMEOUT=22
exec "${TPP_BUILD:-build}/bench/compare_blas" "$@"
