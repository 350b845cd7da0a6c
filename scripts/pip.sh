#!/bin/sh
# Usage: scripts/pip.sh VENV ARGUMENT...
# Runs pip for the virtual environment VENV, which is made where it is missing. Needs a Python 3.11 or later with
# pip 22.3 or later, or with ensurepip; PYTHON=... names one. Nothing is installed outside VENV.
set -eu

venv=$1
shift

# Settings of the shell that would lead pip or Python elsewhere. Indexes, proxies and caches stay as they are.
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV
unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIREMENT PIP_NO_BINARY PIP_ONLY_BINARY PIP_NO_DEPS PIP_PYTHON \
    PIP_DRY_RUN PIP_IGNORE_INSTALLED PIP_PRE PIP_EDITABLE PIP_BUILD_CONSTRAINT PIP_REQUIRE_HASHES \
    PIP_FORCE_REINSTALL PIP_UPGRADE PIP_CONFIG_SETTINGS PIP_REPORT PIP_PLATFORM PIP_PYTHON_VERSION
export PIP_CONSTRAINT=/dev/null # not merely unset: a constraint may also stand in pip's configuration files
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1

recent='import sys; sys.exit(sys.version_info < (3, 11))'
with_pip='import pip, sys, venv; sys.exit(tuple(map(int, pip.__version__.split(".")[:2])) < (22, 3))'
with_ensurepip='import ensurepip, venv'

# find TEST: the first Python that is recent and passes TEST.
find() {
    for python in "${PYTHON:-python3}" ${PYTHON:-python3.13 python3.12 python3.11 python3.14 python}; do
        if "$python" -c "$recent" && "$python" -c "$1"; then
            printf '%s\n' "$python"
            return
        fi
    done 2>/dev/null
    return 1
}

if python=$(find "$with_pip"); then
    "$venv/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear --without-pip "$venv"
    exec "$python" -m pip --python "$venv/bin/python" "$@"
elif python=$(find "$with_ensurepip"); then
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear "$venv"
    exec "$venv/bin/python" -m pip "$@"
fi
echo "expected Python 3.11 or later with pip 22.3 or later, found none" \
    "(install one, as with 'apt-get install python3 python3-pip', or name one: make PYTHON=/path/to/python3 ...)" >&2
exit 1
