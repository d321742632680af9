#!/bin/sh
# libtpp.so exports the functions that tpp.h declares, under the versions of libtpp.map, and nothing
# else; every global name of libtpp.a begins with tpp_, so that it cannot meet a name of the program
# that it is linked to.
# usage: exports.sh SOURCE_DIR BUILD_DIR; exit 77: no shared library was built
# SPDX-License-Identifier: MIT
set -u
source=$1 build=$2
[ -e "$build/libtpp.so" ] || { echo "skipped: built without TPP_SHARED"; exit 77; }

# Declarations span lines: cut at semicolons first. A function's name is what stands before "(".
declared=$(tr '\n' ' ' <"$source/host/tpp.h" | tr ';' '\n' | grep 'TPP_API [^(]*tpp_[a-z_]*(' |
    sed 's/.*TPP_API [^(]*[ *]\(tpp_[a-z_]*\)(.*/\1/' | sort)
exported=$(nm -D --defined-only "$build/libtpp.so" | awk '$2 != "A" { print $3 }' | sort)
mapped=$(awk '/^TPP_/ { node = $1 } /^    tpp_/ { sub(/;/, "", $1); print $1 "@@" node }' \
    "$source/host/libtpp.map" | sort)
# Weak names are C++ templates, which every program that uses them has.
foreign=$(nm -g --defined-only "$build/libtpp.a" | awk 'NF == 3 && $2 !~ /[WVu]/ { print $3 }' |
    grep -Ev '^(__odr_asan\.)?(tpp_|_ZNK?9tpp_dicom)')

bad=0
compare() {
    [ "$2" = "$3" ] && return
    echo "$1:"
    printf '%s\n' "$2" >"$build/exports.wanted"
    printf '%s\n' "$3" | diff "$build/exports.wanted" - | grep '^[<>]'
    bad=$((bad + 1))
}
[ -n "$declared" ] || { echo "no TPP_API function in tpp.h"; bad=1; }
compare "declared (<) and exported (>) differ" "$declared" "$(echo "$exported" | sed 's/@@.*//')"
compare "libtpp.map (<) and exported (>) differ" "$mapped" "$exported"
[ -z "$foreign" ] || { echo "libtpp.a defines $foreign"; bad=$((bad + 1)); }
echo "$(echo "$declared" | wc -l) functions, $bad findings"
[ "$bad" -eq 0 ]
