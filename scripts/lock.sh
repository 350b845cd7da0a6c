#!/bin/sh
# Usage: scripts/lock.sh UV [OPTION...]
# Resolves pyproject.toml into requirements.lock and requirements-dev.lock with the given release of uv ("uv==1.2.3"),
# installed for this once. Pins stay as they are where they still satisfy; --upgrade takes newer ones.
set -eu

uv=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
sh scripts/pip.sh "$folder/venv" install --quiet "$uv"

# resolve FILE TITLE OPTION...
resolve() {
    file=$1 title=$2
    shift 2
    if [ -e "$file" ]; then cp "$file" "$folder/$file"; fi # the pins to keep
    "$folder/venv/bin/uv" pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet \
        --no-header --no-emit-index-url --no-emit-find-links --output-file "$folder/$file" "$@"
    {
        echo "# $title, pinned for CPython 3.11 to 3.14 on Linux."
        echo "# Made by 'make lock' from pyproject.toml: change it there."
        sed '/^ *#   -c /d' "$folder/$file" # not: "via a constraint", which is the other lock
    } > "$folder/titled"
    cmp -s "$folder/titled" "$file" || cat "$folder/titled" > "$file" # a file not touched asks for no new set-up
}

resolve requirements.lock "What sensord needs to run" "$@"
resolve requirements-dev.lock "What sensord needs to run, to be tested and to be built" \
    --group dev --constraint requirements.lock "$@"
