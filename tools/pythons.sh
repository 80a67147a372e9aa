#!/usr/bin/env bash
# The Pythons found on this machine that the library supports, one a line: version and program. The version given as
# an argument is left out.
set -euo pipefail
shopt -s nullglob

for version in 3.11 3.12 3.13; do
    [ "$version" != "${1:-}" ] || continue
    for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
        # A version manager's stand-in is on the PATH for versions it won't run.
        if "$python" -c "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
            echo "$version $python"
            break
        fi
    done
done
