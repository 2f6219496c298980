"""What may be given as samples."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from . import _columns, _native


def is_path(data: Any) -> bool:
    """Whether this names a file or folder, or several."""
    if isinstance(data, (str, os.PathLike)):
        return True
    return isinstance(data, (list, tuple)) and bool(data) and all(isinstance(item, os.PathLike) for item in data)


def paths(data: Any) -> list[str]:
    """The files that this names."""
    several = data if isinstance(data, (list, tuple)) else [data]
    return [os.fspath(path) for path in several]


def of(
    data: Any,
    *,
    groups: Any = None,
    counts: Any = None,
    group_by: str | None = None,
    count_field: str | None = None,
) -> _native.Samples:
    """Labelled samples: a list as the lines of a file would hold them, a table with the columns `sequence` and `label`, or a pair of
    sequences and labels. Groups and counts stand beside them, or in members or columns of these names."""
    if isinstance(data, _native.Samples):
        return data
    if _columns.is_table(data):
        if type(data).__name__ == "LazyFrame":
            data = data.collect()
        groups = groups if groups is not None or group_by is None else _columns.column(data, group_by)
        counts = counts if counts is not None or count_field is None else _columns.column(data, count_field)
        labels = _columns.column(data, "label", default=True)
        return _columns.samples(_columns.column(data, "sequence"), labels, groups, counts)
    if isinstance(data, tuple) and len(data) == 2:
        return of_sequences(*data, groups=groups, counts=counts)
    return _native.Samples.of_items(data, group_by=group_by, count_field=count_field, groups=_list(groups), counts=_list(counts))


def of_sequences(sequences: Any, labels: Any = None, *, groups: Any = None, counts: Any = None) -> _native.Samples:
    """Samples of sequences, with columns beside them."""
    if _columns.kind_of(sequences):
        return _columns.samples(sequences, labels, groups, counts)
    return _native.Samples.of_sequences(sequences, _list(labels), _list(groups), _list(counts))


def plain(value: Any) -> Any:
    """A list or dictionary of whatever stands for one in a sample; of an array of another library what it says itself."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, memoryview, Set)):
        return list(value)
    raise TypeError(f"neither a list of strings nor a sample: {type(value).__name__}")


def _list(values: Any) -> Sequence[Any] | None:
    """A column as Python objects: what numpy holds says itself what it is."""
    if values is None:
        return None
    if hasattr(values, "tolist"):
        return list(values.tolist())
    return _columns.to_list(values) if _columns.kind_of(values) else list(values)
