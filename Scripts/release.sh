#!/usr/bin/env bash
# release.sh — everything that a release gives away, in one folder, and tries it where there is no Swift.
#
#   Scripts/release.sh [FOLDER]     by default .build/release-VERSION; it must not exist
#
# FOLDER gets offpolicy-VERSION-SYSTEM-PROCESSOR.tar.gz (the program in one stripped file, manual pages, completions for bash, zsh
# and fish, licence, changelog), the wheel for Python, and SHA256SUMS. Needs a Swift toolchain and Python 3; no network, once the
# package's dependencies are there. FOLDER appears whole, after the trial, or not at all.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  echo "release.sh: $1" >&2
  exit 1
}

[[ ${1-} != -* && $# -le 1 ]] || fail "it takes one folder to make, or nothing"
command -v swift >/dev/null || fail "there is no Swift toolchain; install Swift 6.2 or later (swift.org/install)"
version=$(sed -n 's/^public let programVersion = "\(.*\)"$/\1/p' "$root/Sources/OffPolicy/OffPolicy.swift")
[[ -n $version ]] || fail "Sources/OffPolicy/OffPolicy.swift has no programVersion"
target=${1:-$root/.build/release-$version}
[[ ! -e $target ]] || fail "$target exists: move it away, or name another folder"
mkdir -p "$(dirname "$target")" || fail "cannot make a folder beside $target"
unfinished=$(mktemp -d "$(dirname "$target")/.release.XXXXXX")
trial=$(mktemp -d)
trap 'rm -rf "$unfinished" "$trial"' EXIT

# a folder of its own: ./offpolicy's build must stay as it is
options=(-c release --product offpolicy --package-path "$root" --scratch-path "$root/.build/static" --static-swift-stdlib)
echo "building the program with Swift's library in it (some minutes the first time) …" >&2
swift build "${options[@]}" --quiet >"$trial/log" 2>&1 </dev/null || { cat "$trial/log" >&2; fail "the build failed"; }
built=$(swift build "${options[@]}" --show-bin-path 2>/dev/null)/offpolicy

name=offpolicy-$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
place=$unfinished/$name
share=$place/share
mkdir -p "$place/bin" "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" \
  "$share/fish/vendor_completions.d"
if [[ $(uname -s) == Linux ]]; then
  strip --strip-all -o "$place/bin/offpolicy" "$built"
else
  strip -x -o "$place/bin/offpolicy" "$built"
fi
program=$place/bin/offpolicy
"$root/Scripts/man-pages.py" "$program" "$share/man/man1" >&2
"$program" --generate-completion-script bash >"$share/bash-completion/completions/offpolicy"
"$program" --generate-completion-script zsh >"$share/zsh/site-functions/_offpolicy"
"$program" --generate-completion-script fish >"$share/fish/vendor_completions.d/offpolicy.fish"
cp "$root/LICENSE" "$root/CHANGELOG.md" "$place"

archive=$name.tar.gz
if tar --version 2>/dev/null | grep -q GNU; then
  # the same files give the same bytes
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$unfinished" -cf - "$name" | gzip -9n >"$unfinished/$archive"
else
  tar -C "$unfinished" -czf "$unfinished/$archive" "$name"
fi
rm -rf "$place"
"$root/Scripts/build-wheel.sh" "$unfinished" >&2
(cd "$unfinished" && if command -v sha256sum >/dev/null; then sha256sum -- *; else shasum -a 256 -- *; fi >"$trial/sums" && mv "$trial/sums" SHA256SUMS)

# the trial: an empty folder, an environment with nothing in it, no Swift to be found
try() { (cd "$trial/empty" && env -i HOME="$trial/empty" PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "$@") || fail "the trial failed: $*"; }
mkdir "$trial/empty"
tar -C "$trial/empty" -xzf "$unfinished/$archive"
mine=./$name/bin/offpolicy
if (PATH=/usr/bin:/bin; command -v swift >/dev/null); then
  echo "release.sh: /usr/bin or /bin has a Swift, so that the program runs without one was NOT tried" >&2
fi
if [[ $(uname -s) == Linux ]] && ldd "$trial/empty/$name/bin/offpolicy" | grep -iE 'swift|Foundation|not found' >&2; then
  fail "the program needs a library of Swift"
fi
[[ $(try "$mine" --version) == "offpolicy $version" ]] || fail "the program is not of version $version"
try "$mine" train sac Pendulum-v1 --steps 600 --set hiddenSizes=32,32 --set randomSteps=200 --evaluation-episodes 2 --run-directory run
try "$mine" evaluate run --episodes 2
try "$mine" report run
try "$mine" export run --format c
try bash -n "./$name/share/bash-completion/completions/offpolicy"
(cd "$unfinished" && if command -v sha256sum >/dev/null; then sha256sum --quiet -c SHA256SUMS; else shasum -a 256 -c SHA256SUMS >/dev/null; fi)

bytes=$(wc -c <"$trial/empty/$name/bin/offpolicy")
mv "$unfinished" "$target"
chmod 755 "$target"
trap 'rm -rf "$trial"' EXIT
echo "release.sh: the program has $((bytes / 1000000)) MB and ran in an empty folder without Swift; in $target:" >&2
ls -l "$target"
