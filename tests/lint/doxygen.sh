#!/bin/sh
# Every public name of host/tpp.h is documented, and its references lead somewhere. Leaves the pages
# in OUT/html.
# usage: doxygen.sh SOURCE_DIR OUT; exit 77: no doxygen
# SPDX-License-Identifier: MIT
set -u
out=$2
command -v doxygen >/dev/null 2>&1 || { echo "skipped: no doxygen on this machine"; exit 77; }
cd "$1" || exit 1
mkdir -p "$out" || exit 1
{ cat host/Doxyfile; echo "OUTPUT_DIRECTORY = \"$out\""; } | doxygen - >"$out/log" 2>&1
status=$?
cat "$out/log"
[ "$status" -eq 0 ] && [ -s "$out/html/tpp_8h.html" ] && echo "$out/html/index.html"
