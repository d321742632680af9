#!/bin/sh
# Includes point downwards: a file of host/<folder>/ may include <folder> itself and the folders
# below it, which are those its tpp_layer() row in CMakeLists.txt names and theirs in turn.
# host/tpp.h is what api, the top of the library, implements; host/examples are programs outside it.
# Also: only core, the folder at the bottom, may be included by everyone; OpenCL is called in
# host/cl and host/tensor alone (others may release a handle they were given); only the command
# line prints to stdout or ends the program.
# usage: layers.sh SOURCE_DIR
# SPDX-License-Identifier: MIT
set -u
cd "$1" || exit 1

rows=$(sed -n 's/^tpp_layer(\(.*\))$/\1/p' CMakeLists.txt | sed 's/ EXTERNAL.*//')
[ -n "$rows" ] || { echo "no tpp_layer() rows in CMakeLists.txt"; exit 1; }

find host -mindepth 2 ! -path 'host/examples/*' \( -name '*.[ch]' -o -name '*.cc' -o -name '*.hh' \) | sort |
    xargs awk -v rows="$rows" '
function close_over(folder, seen_from, i, n, part) {
    if ((seen_from, folder) in reach) return
    reach[seen_from, folder] = 1
    n = split(below[folder], part, " ")
    for (i = 1; i <= n; i++) close_over(part[i], seen_from)
}
function finding(text) { print FILENAME ":" FNR ": " text; bad++ }
BEGIN {
    count = split(rows, line, "\n")
    for (i = 1; i <= count; i++) {
        name = line[i]; sub(/ .*/, "", name)
        rest = line[i]; if (!sub(/^[^ ]+ /, "", rest)) rest = ""
        below[name] = rest; layer[name] = 1
    }
    for (name in layer) close_over(name, name)
}
FNR == 1 {
    files++
    split(FILENAME, path, "/"); folder = path[2]
    if (!(folder in layer)) finding("folder " folder " has no tpp_layer() row in CMakeLists.txt")
}
/^#include "/ {
    included = $2; gsub(/"/, "", included)
    if (included == "tpp.h" && folder == "api") next
    if (split(included, part, "/") != 2) { finding("include " $2 " does not name its folder"); next }
    if (!((folder, part[1]) in reach))
        finding(folder " may not include " part[1] " (" included ")")
}
/(^|[^A-Za-z0-9_])cl[A-Z][A-Za-z]+\(/ && folder != "cl" && folder != "tensor" && !/^ *(\/\*|\*)/ {
    if ($0 !~ /clReleaseMemObject\(/) finding("OpenCL is called outside host/cl and host/tensor")
}
/(^|[^A-Za-z0-9_])(printf|puts|putchar|exit|_Exit|abort|quick_exit)\(/ && folder != "cli" && !/^ *(\/\*|\*)/ {
    finding("prints to stdout or ends the program outside host/cli")
}
END {
    print files " files read, " bad + 0 " findings"
    exit bad > 0 || files == 0
}'
