"""`[params]` in a file: whether their names and values are fit to be named in templates."""

import math
import re
from collections.abc import Mapping

from sensord.config.names import show
from sensord.config.report import Report
from sensord.core.params import Param

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_params(params: Mapping[str, Param], report: Report) -> None:
    """What is wrong with their names and values goes to `report`."""
    for name, value in params.items():
        if not _NAME.fullmatch(name):
            hint = "letters, digits and _, with no digit first"
            report.at_key(("params", name), f"expected the name of a param, got {show(name)}", hint)
        if isinstance(value, float) and not math.isfinite(value):
            report.at_value(("params", name), f"expected a finite number, got {value}")
