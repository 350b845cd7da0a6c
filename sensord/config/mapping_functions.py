"""Imports mapping functions: `match = "python:module:function"`, from the modules that `mapping_modules` allows.

What a function returns is judged where it is called, in sensord/core/mapping/function.py.
"""

import importlib
import inspect
from collections.abc import Callable, Sequence
from datetime import datetime

from sensord.core.mapping.function import Context, MappingFunction
from sensord.errors import InvalidValue

_SOUGHT = "Python looks for it where sensord is installed, and in the folders that PYTHONPATH names"


def load_function(name: str, allowed: Sequence[str]) -> MappingFunction:
    """The function `module:function`. An entry of `allowed` allows the module of that name and all below it.

    The function takes the date (aware, UTC) and, if it has a parameter named `context`, a Context by that name; it
    returns an iterable of aware datetimes. InvalidValue where it is not allowed, not there or not of that shape.
    Nothing is imported that is not allowed; whatever the module raises at its import is part of the error.
    """
    module_name, _, function_name = name.partition(":")
    if not any(module_name == entry or module_name.startswith(f"{entry}.") for entry in allowed):
        listed = ", ".join(allowed) or "none"
        hint = f'add "{module_name}" to mapping_modules in sensord.toml'
        raise InvalidValue(f"expected a module that mapping_modules allows ({listed}), got {module_name}", hint=hint)
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        absent = isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{error.name}.")
        raise InvalidValue(
            f"expected {module_name} to import, got {type(error).__name__}: {error}", hint=_SOUGHT if absent else None
        ) from error
    function = getattr(module, function_name, None)
    if function is None:
        raise InvalidValue(f"expected a function {function_name} in {module_name}, got none of that name")
    return MappingFunction(name, _adapt(name, function))


def _adapt(name: str, function: object) -> Callable[[datetime, Context], object]:
    """The function as the core calls it, whichever of the two shapes it has."""
    if not callable(function):
        raise InvalidValue(f"expected {name} to be a function, got {type(function).__name__}")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidValue(f"expected {name} to be a plain function, got an async one", hint="write it with def")
    try:
        signature = inspect.signature(function)
    except ValueError:  # some built-in callables have none: they get the one argument
        return lambda date, _: function(date)
    asks = "context" in signature.parameters
    try:
        signature.bind(None, **({"context": None} if asks else {}))
    except TypeError as error:
        hint = "its one argument is the logical date; a second may be named context"
        raise InvalidValue(
            f"expected {name} to accept one argument, got {name}{signature}: {error}", hint=hint
        ) from error
    if asks:
        return lambda date, context: function(date, context=context)
    return lambda date, _: function(date)
