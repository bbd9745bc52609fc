#!/usr/bin/env bash
# build-wheel.sh — builds the library for Python, puts it beside the package, and makes the wheel.
#
#   Scripts/build-wheel.sh [FOLDER]         the wheel in FOLDER, by default .build/wheel
#   Scripts/build-wheel.sh --library-only   the library alone: Python/offpolicy/liboffpolicy.so
#
# Needs a Swift toolchain and Python 3.9 or later; no network, once the Swift package's dependencies are there, and no root.
# The library holds Swift's own, gives its C functions to others and nothing else, and links the C and C++ libraries alone.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
package=$root/Python/offpolicy
scratch=$root/.build/c

fail() {
  echo "build-wheel.sh: $1" >&2
  exit 1
}

[[ ${1-} != -* || ${1-} == --library-only ]] || fail "unknown argument '$1'; it takes a folder or --library-only"
command -v swift >/dev/null || fail "there is no Swift toolchain; install Swift 6.2 or later (swift.org/install)"

options=(-c release --product OffPolicyC --package-path "$root" --scratch-path "$scratch")
if [[ $(uname -s) == Linux ]]; then
  # --static-swift-stdlib is ignored for a dynamic library
  options+=(-Xswiftc -static-stdlib -Xlinker "--version-script=$root/Scripts/wheel/exports.map" -Xlinker --gc-sections)
  name=liboffpolicy.so
  if [[ $(uname -m) == x86_64 ]]; then
    mkdir -p "$scratch"
    clang -O2 -c "$root/Scripts/wheel/hypot.c" -o "$scratch/hypot.o"
    options+=(-Xlinker --wrap=hypot -Xlinker --wrap=hypotf -Xlinker "$scratch/hypot.o")
  fi
else
  name=liboffpolicy.dylib
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "building the library for Python (some minutes the first time) …" >&2
swift build "${options[@]}" --quiet >"$log" 2>&1 </dev/null || { cat "$log" >&2; fail "the build failed"; }
built=$(swift build "${options[@]}" --show-bin-path 2>/dev/null)/libOffPolicyC.${name##*.}
[[ -e $built ]] || fail "the build made no $built"

# a process that has the old library open keeps it: written beside, then renamed
unfinished=$package/.$name.$$
if [[ $(uname -s) == Linux ]]; then
  strip --strip-all -o "$unfinished" "$built"
else
  strip -x -o "$unfinished" "$built"
fi
chmod 755 "$unfinished"
mv "$unfinished" "$package/$name"
mkdir -p "$root/.build/python"
cp "$package/$name" "$root/.build/python/.$name.$$"
mv "$root/.build/python/.$name.$$" "$root/.build/python/$name"
[[ ${1-} == --library-only ]] || python3 "$root/Python/build_backend.py" "${1:-$root/.build/wheel}"
