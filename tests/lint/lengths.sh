#!/bin/sh
# Lengths have a gate: .c and .cc 800 lines, .h, .hh and .clh 400, .cl 400, functions 80, lines 100 columns.
# A function is counted from the brace in column 0 that opens it (the formatter puts it there) to
# the one in column 0 that closes it. Columns between "clang-format off" and "on" are not counted:
# those are tables of data.
# usage: lengths.sh SOURCE_DIR
# SPDX-License-Identifier: MIT
set -u
cd "$1" || exit 1

find host tests bench cl_kernels weights -type f \
    \( -name '*.[ch]' -o -name '*.cc' -o -name '*.hh' -o -name '*.cl' -o -name '*.clh' \) 2>/dev/null | sort | LC_ALL=C.UTF-8 xargs awk '
function finding(text) { print text; bad++ }
function file_done() {
    if (name == "") return
    gate = name ~ /\.cc?$/ ? 800 : 400
    if (lines > gate) finding(name ": " lines " lines, the gate is " gate)
}
FNR == 1 { file_done(); name = FILENAME; files++; start = 0; table = 0 }
{ lines = FNR }
/clang-format off/ { table = 1 }
/clang-format on/ { table = 0 }
length($0) > 100 && !table { finding(FILENAME ":" FNR ": " length($0) " columns, the gate is 100") }
/\t/ { finding(FILENAME ":" FNR ": a tab") }
/^\{/ { start = FNR; functions++ }
/^\}/ && start > 0 {
    if (FNR - start - 1 > 80)
        finding(FILENAME ":" start ": function of " FNR - start - 1 " lines, the gate is 80")
    start = 0
}
FNR <= 25 && /SPDX-License-Identifier: MIT/ { marked[FILENAME] = 1 }
END {
    file_done()
    for (i = 1; i < ARGC; i++)
        if (!(ARGV[i] in marked)) finding(ARGV[i] ": no SPDX line in its head comment")
    print files " files, " functions " functions read, " bad + 0 " findings"
    exit bad > 0 || functions == 0
}'
