# What the scripts of this folder share; sourced, not run. Each takes a build folder (default:
# build) and runs the programs in it on one OpenCL implementation that is not the usual one.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "${1:-$root/build}" && pwd)
registry=$build/tests/test_ops_registry
tpp=$build/tpp
golden=$root/tests/golden
bad=0

# A cache of compiled kernels of its own, so that no driver meets another's.
TPP_CACHE_DIR=$(mktemp -d)
export TPP_CACHE_DIR
trap 'rm -rf "$TPP_CACHE_DIR"' EXIT

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}
[ -x "$registry" ] || fail "$registry is not built"

# run WHAT COMMAND...: keeps count of the failures, stops at none.
run() {
    local what=$1
    shift
    printf -- '-- %s\n' "$what"
    if "$@"; then :; else
        printf 'FAILED (exit %d): %s\n' "$?" "$what"
        bad=$((bad + 1))
    fi
}

finish() {
    if [ "$bad" -eq 0 ]; then
        echo "$(basename "$0"): all passed"
    else
        echo "$(basename "$0"): $bad failed"
    fi
    exit "$((bad > 0))"
}
