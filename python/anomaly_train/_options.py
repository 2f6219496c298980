"""Options as the command line spells them, with underscores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def arguments(options: Mapping[str, object]) -> list[str]:
    """The options as arguments: `None` and `False` are left out, `True` is a flag, a list is the option several times."""
    said: list[str] = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            said.append(option)
        elif isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
            said.extend(f"{option}={item}" for item in value)
        else:
            said.append(f"{option}={value}")
    return said
