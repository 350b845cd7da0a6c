"""A keeper that kills itself at a given point.

Usage: python -m tests.executors.mortal STATE MODULE NAME WHEN NTH: before or after the NTH call of that function.
"""

import importlib
import os
import signal
import sys
from functools import reduce
from typing import Any

from sensord.executors import keeper


def main(state: str, module: str, name: str, when: str, nth: str) -> None:
    *owners, last = name.split(".")
    owner = reduce(getattr, owners, importlib.import_module(f"sensord.executors.{module}"))
    function = getattr(owner, last)
    calls = 0

    def call_or_die(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if (when, calls) == ("before", int(nth)):
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **options)
        if (when, calls) == ("after", int(nth)):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, last, call_or_die)
    keeper.main([state])


if __name__ == "__main__":
    main(*sys.argv[1:])
