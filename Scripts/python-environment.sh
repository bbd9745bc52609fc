#!/usr/bin/env bash
# python-environment.sh — makes the virtual environment of the package's tests and examples, and prints its Python.
#
#   Scripts/python-environment.sh           .venv with Python/requirements-test.txt
#   Scripts/python-environment.sh --peers   .venv-peers, with Stable-Baselines3 and PyTorch as well (some GB)
#
# Versions are pinned. A complete environment is left alone. Exit code 3: nothing could be downloaded; whoever calls this then
# says aloud what was not tried.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
  echo "python-environment.sh: $2" >&2
  exit "$1"
}

requirements=("$root/Python/requirements-test.txt")
folder=$root/.venv
case "${1-}" in
  "") ;;
  --peers)
    requirements+=("$root/Python/requirements-peers.txt")
    folder=$root/.venv-peers
    ;;
  *) fail 1 "unknown argument '$1'; it takes none, or --peers" ;;
esac

# the newest Python at hand that the pinned versions run on
python=
for candidate in python3.13 python3.12 python3.11 python3; do
  if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
[[ -n $python ]] || fail 3 "there is no Python 3.11 or later with venv"

wanted=$("$python" --version; cat "${requirements[@]}")
if [[ ! -e $folder/complete || $(<"$folder/complete") != "$wanted" ]]; then
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  echo "making $folder …" >&2
  rm -rf "$folder"
  "$python" -m venv "$folder" >"$log" 2>&1 || { cat "$log" >&2; fail 3 "$python cannot make a virtual environment"; }
  arguments=()
  for file in "${requirements[@]}"; do arguments+=(-r "$file"); done
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${arguments[@]}" >"$log" 2>&1 ||
    { tail -5 "$log" >&2; fail 3 "pip could not install $(printf '%s ' "${requirements[@]##*/}"); is there a network?"; }
  echo "$wanted" >"$folder/complete"
fi
echo "$folder/bin/python"
