#!/bin/sh
# The programs of bench/ on the smallest model: that they say what they promise, not how fast it is.
# usage: programs.sh PROGRAM BUILD_DIR SOURCE_DIR WORK_DIR; exit 77: the program was not built
# SPDX-License-Identifier: MIT
set -u
program=$1 bin=$2/bench source=$3 work=$4
[ -x "$bin/$program" ] || { echo "skipped: no $program in $bin"; exit 77; }
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1
tiny="--config $source/configs/tiny.yaml --size 64x96"
die() { echo "FAILED: $*"; exit 1; }
# want CODE COMMAND...: its exit code; out and err hold what it said
want() {
    code=$1
    shift
    "$@" >out 2>err </dev/null
    got=$?
    [ "$got" -eq "$code" ] || { cat out err; die "exit code $got, wanted $code: $*"; }
}

case $program in
bench_graph)
    # an image of 0x3f3f3f3f, and levels of it; by two algorithms
    head -c $((64 * 96 * 3 * 4)) /dev/zero | tr '\0' '?' >image
    head -c $((131 * 256 * 4)) /dev/zero | tr '\0' '?' >levels
    for part in backbone:image:512 encoder:levels:256; do
        name=${part%%:*} input=${part#*:}
        columns=${input#*:} input=${input%:*}
        for algorithm in plain vector; do
            printf 'run 2\ncheck %s %s\n' "$input" "$algorithm" |
                "$bin/bench_graph" $tiny --part "$name" --algorithm "$algorithm" --serve >out ||
                die "$name by $algorithm"
            [ "$(wc -l <out)" -eq 3 ] || die "three answers are wanted"
            sed -n 2p out | grep -Eq '^\{"seconds":\[[0-9.e-]+,[0-9.e-]+\]\}$' || die "run 2 $(sed -n 2p out)"
            [ $(($(wc -c <"$algorithm") % (4 * columns))) -eq 0 ] || die "rows of $columns floats"
        done
        od -An -v -tf4 -w4 plain >a
        od -An -v -tf4 -w4 vector >b
        paste a b | awk -v part="$name" '
            { d = $1 - $2; if (d < 0) d = -d; if (d > worst) worst = d
              m = $1 < 0 ? -$1 : $1; if (m > most) most = m }
            END { print part, NR " values, most " most ", difference " worst
                  exit !(NR > 1000 && most > 0.01 && worst <= 1e-4 * most) }' ||
            die "$name: plain and vector differ, or are nothing"
    done
    head -c 100 image >short
    printf 'check short result\n' | "$bin/bench_graph" $tiny --serve >out 2>err && die "a short input"
    grep -q 'wants 18432 floats' err || die "a short input: $(cat err)"
    [ ! -e result ] || die "a result of a short input"
    printf 'walk 2\n' | "$bin/bench_graph" $tiny --serve >out 2>err && die "an unknown command"
    want 2 "$bin/bench_graph" $tiny --part head
    ;;
bench_ops)
    # every algorithm of the op on every case, times above 0
    want 0 "$bin/bench_ops" --cases --op layernorm --runs 1 --format csv
    grep -v '^#' out | awk '
        { gsub(/"[^"]*"/, "shape") }
        FNR == 1 { split($0, name, ","); for (i in name) at[name[i]] = i; next }
        { n = split($0, cell, ",")
          if (n != 16 || cell[at["ms"]] <= 0 || cell[at["least ms"]] > cell[at["ms"]]) bad++
          seen[cell[at["algorithm"]]]++ }
        END { print NR " lines, " seen["plain"] " plain, " seen["vector"] " vector"
              exit bad > 0 || seen["plain"] < 3 || seen["vector"] < 1 }' || die "cases: $(cat out)"
    # the frame: what the plan chose is marked; shares of what one algorithm took add up to 100
    want 0 "$bin/bench_ops" $tiny --algorithm vector --runs 1 --format csv
    grep -v '^#' out | sed 's/"[^"]*"/shape/g' | awk -F, '
        FNR > 1 && / \*,/ { sum += $16; n++ }
        END { print n " ops, " sum " %"; exit !(n > 30 && sum > 99 && sum < 101) }' || die "shares"
    want 2 "$bin/bench_ops" --op nothing
    grep -q 'there is no op called nothing' err || die "$(cat err)"
    ;;
compare_blas)
    OPENBLAS_THREAD_TIMEOUT=10
    export OPENBLAS_THREAD_TIMEOUT
    want 0 "$bin/compare_blas" $tiny --runs 1 --format csv
    grep -q ' 0 void' out || die "void rows: $(cat out)"
    # the last row is the sum of the others' kernel times, each by its count
    grep -v '^#' out | sed 's/"[^"]*"/all/' | awk -F, '
        FNR == 1 { next }
        $1 == "all" { total = $7; next }
        { sum += $4 * $7; n++; if ($NF > 1e-5) bad++ }
        END { print n " products, " sum " ms, total " total
              exit !(n > 5 && bad == 0 && total > 0.99 * sum && total < 1.01 * sum) }' ||
        die "rows: $(cat out)"
    want 2 "$bin/compare_blas" $tiny --format pdf
    ;;
*) die "no such program" ;;
esac
echo "$program: as promised"
