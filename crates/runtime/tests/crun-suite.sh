#!/bin/sh
# Runs crun's own Python tests against our runtime.
#
#   crun-suite.sh CHECKOUT [RUNTIME]
#
# CHECKOUT is a checkout of the crun sources (only its folder `tests` is used; nothing of it is part of
# this repository). RUNTIME is a program with the OCI command line; without it `corten-runtime` is
# built. Needs root, gcc, script (util-linux) and Python 3.12 or newer. Prints the score, and each test that failed or was
# skipped; the raw output stays in `target/crun-suite`. Reasons are in docs/crun-suite.md.
set -eu

here=$(cd "$(dirname "$0")/../../.." && pwd)
checkout=$(cd "$1" && pwd)
runtime=${2:-}
output=$here/target/crun-suite
mkdir -p "$output"
rm -f "$output"/*.out "$output"/*.err

if [ -z "$runtime" ]; then
    (cd "$here" && cargo build --quiet -p runtime --bin corten-runtime)
    target=${CARGO_TARGET_DIR:-$here/target}
    runtime=$(find "$target" -path '*debug/corten-runtime' -type f | head -n 1)
fi

# The program that the containers run. Its sources expect a header of crun's own configure step; the
# features that need libraries stay off.
: > "$output/config.h"
gcc -O2 -static -w -I "$output" -DHAVE_ERROR_H -DHAVE_LINUX_IOPRIO_H -o "$output/init" "$checkout/tests/init.c"

OCI_RUNTIME=$runtime INIT=$output/init PYTHONPATH=$checkout/tests
export OCI_RUNTIME INIT PYTHONPATH
cd "$output"
for test in "$checkout"/tests/test_*.py; do
    name=$(basename "$test" .py)
    # Some tests want a terminal.
    timeout 120 script -qec "python3 '$test' 2> '$name.err'" /dev/null < /dev/null | tr -d '\r' > "$name.out"
done

for file in test_*.out; do
    sed -n -e "s/^not ok [0-9]* - \(.*\) # .*/fail ${file%.out} \1/p" \
        -e "s/^ok [0-9]* - \(.*\) #SKIP\(.*\) # .*/skip ${file%.out} \1:\2/p" "$file"
done
cat test_*.out | awk '
    /^ok .*#SKIP/ { skipped++; next }
    /^ok /        { passed++ }
    /^not ok /    { failed++ }
    END { printf "passed %d, skipped %d, failed %d\n", passed, skipped, failed }'
