#!/bin/sh
# One name leads everywhere: each op of TPP_REF_MAP (host/ref/ref.h) has its host side, its float64
# reference and, unless it is made of other ops' kernels, its kernel file under its own name or its
# family's; no such file is there without an op, and every kernel file is launched and catalogued.
# usage: names.sh SOURCE_DIR
# SPDX-License-Identifier: MIT
set -u
cd "$1" || exit 1

ops=$(sed -n '/define TPP_REF_MAP/,/^$/p' host/ref/ref.h | grep -o 'X([a-z0-9_]*)' | sed 's/X(\(.*\))/\1/')
[ -n "$ops" ] || { echo "no TPP_REF_MAP in host/ref/ref.h"; exit 1; }
bad=0
finding() { echo "$1"; bad=$((bad + 1)); }

# the file that an op's three sides share
family() {
    case $1 in
    *_backward) echo "${1%_backward}" ;;
    fold_bn) echo frozen_bn ;;
    argmax) echo topk ;;
    scatter_rows) echo gather_rows ;;
    concat) echo slice ;;
    copy) echo reduce_rows ;;
    *) echo "$1" ;;
    esac
}

files=
for op in $ops; do
    file=$(family "$op")
    files="$files $file"
    for side in host/ops host/ref; do
        [ -f "$side/$file.c" ] || { finding "$op: no $side/$file.c"; continue; }
    done
    grep -q "tpp_op_$op\\b" "host/ops/$file.c" 2>/dev/null ||
        finding "$op: host/ops/$file.c does not define tpp_op_$op"
    grep -q "tpp_ref_$op\\b" "host/ref/$file.c" 2>/dev/null ||
        finding "$op: host/ref/$file.c does not define tpp_ref_$op"
    [ "$op" = ffn ] && continue # recorded as two GEMMs by strips of rows
    [ -f "cl_kernels/$file.cl" ] || finding "$op: no cl_kernels/$file.cl"
done

# nothing is left over
for path in host/ref/*.c; do
    case " $files " in *" $(basename "$path" .c) "*) ;; *) finding "$path belongs to no op" ;; esac
done
for path in cl_kernels/*.cl; do
    name=$(basename "$path" .cl)
    case $name in
    *_vector | *_tile | *_winograd) continue ;; # an algorithm of an op or of a family of them
    peak) continue ;;                           # the device's measured peak, for tpp bench
    esac
    case " $files " in *" $name "*) ;; *) finding "$path belongs to no op" ;; esac
done
for path in cl_kernels/*.cl; do
    name=$(basename "$path" .cl)
    grep -q "\"$name\"" host/*/*.c || finding "$path: no host file launches from \"$name\""
done
for path in cl_kernels/*.cl cl_kernels/*.clh; do
    name=$(basename "$path")
    grep -q "^| .$name. " cl_kernels/README.md || finding "$path is not in cl_kernels/README.md"
done

echo "$(echo "$ops" | wc -w) ops, $bad findings"
[ "$bad" -eq 0 ]
