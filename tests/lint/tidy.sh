#!/bin/sh
# clang-tidy over host/ with the checks of .clang-tidy. Minutes on two cores, so it is part of the
# target `lint` and not of ctest.
# usage: tidy.sh SOURCE_DIR BUILD_DIR [FILE...]; exit 77: no clang-tidy
# SPDX-License-Identifier: MIT
set -u
source=$1 build=$2
shift 2
cd "$source" || exit 1

tidy=
for name in clang-tidy-14 clang-tidy; do
    command -v "$name" >/dev/null 2>&1 && tidy=$name && break
done
[ -n "$tidy" ] || { echo "skipped: no clang-tidy on this machine"; exit 77; }
[ -f "$build/compile_commands.json" ] || { echo "$build has no compile_commands.json"; exit 1; }

[ $# -gt 0 ] || set -- host/*/*.c
log=$(mktemp)
trap 'rm -f "$log"' EXIT
printf '%s\n' "$@" | xargs -P 2 -n 4 "$tidy" -p "$build" --quiet >"$log" 2>/dev/null
grep -E '(warning|error):' "$log" | sort -u
findings=$(grep -cE '(warning|error):' "$log")
echo "$# files read, $findings findings"
[ "$findings" -eq 0 ]
