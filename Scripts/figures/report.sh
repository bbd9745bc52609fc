#!/usr/bin/env bash
# report.sh — Guides/Pictures/report.png: the top of a report on SAC, TD3 and DDPG, three seeds each. Two minutes.
#
#   Scripts/figures/report.sh [PROGRAM]     with ./offpolicy unless another program is given; needs chromium
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(readlink -f "${1:-$root/offpolicy}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for seed in 0 1 2; do
  for algorithm in sac td3 ddpg; do
    "$program" train $algorithm Pendulum-v1 --steps 10000 --seed $seed --threads 1 --evaluate-every 500 \
      --set hiddenSizes=64,64 --set randomSteps=1000
  done
done
"$program" report runs/*
chromium --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" --blink-settings=preferredColorScheme=1 \
  --window-size=1200,930 --hide-scrollbars --virtual-time-budget=4000 --screenshot="$root/Guides/Pictures/report.png" "file://$folder/report.html"
