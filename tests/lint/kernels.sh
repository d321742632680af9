#!/bin/sh
# Every kernel file is OpenCL C 1.2 without a warning for clang, on its own, with the defaults of its
# parameters; a kernel compiled at run time with other options is the tests' matter.
# usage: kernels.sh SOURCE_DIR; exit 77: no clang to ask
# SPDX-License-Identifier: MIT
set -u
cd "$1" || exit 1

clang=
for name in clang clang-15 clang-14; do
    command -v "$name" >/dev/null 2>&1 && clang=$name && break
done
[ -n "$clang" ] || { echo "skipped: no clang on this machine"; exit 77; }

bad=0 files=0
for file in cl_kernels/*.cl; do
    files=$((files + 1))
    "$clang" -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -fsyntax-only -Wall -Wextra \
        -Werror -Icl_kernels "$file" || bad=$((bad + 1))
done
echo "$files kernel files read by $($clang --version | sed -n 1p), $bad with findings"
[ "$bad" -eq 0 ] && [ "$files" -gt 0 ]
