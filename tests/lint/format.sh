#!/bin/sh
# C, C++ and OpenCL C are as clang-format 14 lays them out; other versions differ in detail, so only
# that one is asked.
# usage: format.sh SOURCE_DIR [fix]; exit 77: no clang-format 14
# SPDX-License-Identifier: MIT
set -u
cd "$1" || exit 1

format=
for name in clang-format-14 clang-format; do
    command -v "$name" >/dev/null 2>&1 || continue
    "$name" --version | grep -q 'version 14\.' && format=$name && break
done
[ -n "$format" ] || { echo "skipped: no clang-format 14 on this machine"; exit 77; }

files=$(find host tests bench cl_kernels weights -type f \
    \( -name '*.[ch]' -o -name '*.cc' -o -name '*.hh' -o -name '*.cl' -o -name '*.clh' \) 2>/dev/null | sort)
if [ "${2:-}" = fix ]; then
    echo "$files" | xargs "$format" -i
else
    echo "$files" | xargs "$format" --dry-run -Werror && echo "$(echo "$files" | wc -l) files read"
fi
