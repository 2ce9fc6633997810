#!/usr/bin/env bash
# What a card is worth, in MINUTES (25) of one: the tests of its path, `headstart bench` against the bare loop and the peers
# that are set up (`CUDA=1 benchmarks/peers/setup.sh`), and as much as there is time for of benchmarks/card.yaml, the paper's own
# size. Writes docs/card.md. Called again it goes on with the study in FOLDER.
#
#   benchmarks/card.sh [FOLDER]         FOLDER: where the study is, by default ./card
#   DRY=1 benchmarks/card.sh [FOLDER]   without a card, at toy size, in two minutes; writes FOLDER/card.md
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(realpath -m "${1:-card}")
dry=${DRY:-}
end=$(($(date +%s) + 60 * ${MINUTES:-25}))
python="${PYTHON:-$root/.venv/bin/python}"
mkdir -p "$folder"
cd "$root" || exit 1

left() { echo $((end - $(date +%s))); }

# At most so many seconds of what is left; by Ctrl-C, at which a study keeps all that it has.
within() {
  local seconds=$1
  shift
  [ "$(left)" -lt "$seconds" ] && seconds=$(left)
  [ "$seconds" -gt 0 ] || return 124
  timeout --signal INT --kill-after 60 "$seconds" "$@"
}

if [ -n "$dry" ]; then
  device=cpu page="$folder/card.md" jobs=(digits-mlp) compared=(--repetitions 1 --rounds 1)
  tests=(-k "bits or host") study="$folder/toy.yaml"
  sed -e 's/^device:.*/device: cpu/' -e 's/^executor:.*/executor: stacked/' -e 's/^rounds:.*/rounds: 2/' \
    -e 's/^every:.*/every: 1/' -e 's/^population:.*/population: 20/' -e 's/^cohort:.*/cohort: 2/' \
    -e 's/^task:.*/task: digits/' -e 's/^model:.*/model: mlp/' -e 's/^  - checkpoint.*/  - proxy/' \
    -e 's/^probes:.*/probes: [evaluation]/' -e 's/^tuning:.*/tuning: {trials: 2, rounds: 1}/' benchmarks/card.yaml >"$study"
else
  "$python" -c 'import sys, torch; sys.exit(0 if torch.cuda.is_available() else 1)' || {
    echo "error: torch sees no card; DRY=1 $0 tries this script without one" >&2
    exit 2
  }
  device=cuda page=docs/card.md jobs=(cifar-cnn cifar-squeezenet cifar-resnet18) compared=(--repetitions 2 --rounds 5)
  tests=() study=benchmarks/card.yaml
fi

HEADSTART_CARD=$device within 480 "$python" -m pytest -q -p no:cacheprovider tests/test_card.py "${tests[@]}" \
  >"$folder/tests.txt" 2>&1
echo "status $?" >>"$folder/tests.txt"
tail -2 "$folder/tests.txt"

within 360 "$python" benchmarks/peers/compare.py "${jobs[@]}" --device "$device" "${compared[@]}" \
  --headstart "$(dirname "$python")/headstart" --executor "stacked" --timeout 300 --out "$folder/speed" \
  >"$folder/speed.txt" 2>&1 || tail -1 "$folder/speed.txt"

within 86400 "$python" -m headstart run "$study" --jobs 1 --out "$folder/study" 2>&1 | tail -3
"$python" -m headstart report "$folder/study" 2>&1 | tail -1

"$python" benchmarks/card_page.py "$folder" --into "$page"
