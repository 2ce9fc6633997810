#!/usr/bin/env bash
# Make the peers' virtual environments with the pinned versions of requirements/, in the folder VENVS (.venvs beside this).
# PYTHON picks the interpreter (3.11). The requirements are complete, so --no-deps: no resolver can pull another torch, a CUDA build's
# libraries or torchvision. torch==2.13.0 must resolve to a CPU build: give pip the index or wheel that has one. With CUDA=1 torch
# brings its CUDA libraries, for `compare.py --device cuda`.
set -euo pipefail
venvs=$(realpath -m "${VENVS:-$(dirname "$0")/.venvs}")
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- pfl fedjax flower
for name in "$@"; do
  "${PYTHON:-python3.11}" -m venv "$venvs/$name"
  "$venvs/$name/bin/python" -m pip install --quiet --no-deps -r "requirements/$name.txt"
  if grep -q '^torch==' "requirements/$name.txt" && [ -n "${CUDA:-}" ]; then
    "$venvs/$name/bin/python" -m pip install --quiet "$(grep '^torch==' "requirements/$name.txt")"
    "$venvs/$name/bin/python" -c 'import torch; assert torch.version.cuda, "a CPU build of torch, though CUDA=1"'
  elif grep -q '^torch==' "requirements/$name.txt"; then
    "$venvs/$name/bin/python" -c 'import torch; assert torch.version.cuda is None, "not a CPU build of torch"'
  fi
done
