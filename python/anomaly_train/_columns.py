"""Columns of Arrow, pandas and Polars on their way in and out, without a Python object for each action."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from . import _native

_LITTLE = sys.byteorder == "little"


def kind_of(data: Any) -> str | None:
    """Whose column or table this is: "pandas", "polars", "arrow" for whatever else knows Arrow, or `None`."""
    module = type(data).__module__.partition(".")[0]
    if module == "pandas":
        return "pandas"
    if module == "polars":
        return "polars"
    if module == "pyarrow" or hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return "arrow"
    return None


def is_table(data: Any) -> bool:
    """Whether this is a table, and not one column."""
    kind = kind_of(data)
    if kind in ("pandas", "polars"):
        return type(data).__name__ in ("DataFrame", "LazyFrame")
    return kind == "arrow" and hasattr(data, "column_names")


def column(table: Any, name: str, default: bool = False) -> Any:
    """A column of a table, `None` if it may be missing and is."""
    names = list(table.columns) if kind_of(table) != "arrow" else table.column_names
    if name in names:
        return table[name]
    if default:
        return None
    raise ValueError(f'the table has no column "{name}"; it has {", ".join(map(str, names))}')


class ArrowSequences(NamedTuple):
    """The buffers that the native half takes."""

    lengths: bytes
    offsets: bytes
    text: bytes


def sequences(data: Any) -> ArrowSequences | list[Any]:
    """A column of lists of strings as buffers, or as a list where it holds Python objects anyway."""
    if kind_of(data) == "pandas" and not hasattr(data.dtype, "pyarrow_dtype"):
        return list(data)
    import pyarrow as pa
    import pyarrow.compute as pc

    array = _array(data)
    if not _is_list(array.type):
        return list(array.to_pylist())
    lengths = pc.list_value_length(array).cast(pa.int64())
    values = pc.list_flatten(array)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if lengths.null_count or values.null_count or not _is_text(values.type):
        # Refused in the words of the command line, which have to be found for the row.
        return list(array.to_pylist())
    values = _array(values.cast(pa.large_string()))
    _, offsets, text = values.buffers()
    start, end = values.offset * 8, (values.offset + len(values) + 1) * 8
    return ArrowSequences(
        _numbers(lengths),
        offsets.to_pybytes()[start:end] if len(values) else bytes(8),
        text.to_pybytes() if text is not None and len(values) else b"",
    )


def _array(data: Any) -> Any:
    """One array of Arrow."""
    import pyarrow as pa

    if kind_of(data) == "polars":
        data = data.to_arrow()
    elif kind_of(data) == "pandas":
        data = pa.array(data, from_pandas=True)
    elif not isinstance(data, (pa.Array, pa.ChunkedArray)):
        data = pa.chunked_array(data)
    if isinstance(data, pa.ChunkedArray):
        data = data.combine_chunks()
        if isinstance(data, pa.ChunkedArray):
            # Some versions keep chunks of views apart.
            data = pa.concat_arrays(data.chunks) if data.num_chunks else pa.array([], data.type)
    if pa.types.is_dictionary(data.type):
        data = data.dictionary_decode()
    return data


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    views = [getattr(pa.types, name) for name in ("is_list_view", "is_large_list_view") if hasattr(pa.types, name)]
    checks = [pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, *views]
    return any(check(kind) for check in checks)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    checks = [pa.types.is_string, pa.types.is_large_string, *([pa.types.is_string_view] if hasattr(pa.types, "is_string_view") else [])]
    return any(check(kind) for check in checks)


def _numbers(array: Any) -> bytes:
    """The values of an array of 64-bit numbers without nulls."""
    import pyarrow as pa

    array = _array(array.cast(pa.int64()))
    if not len(array):
        return b""
    return bytes(array.buffers()[1].to_pybytes()[array.offset * 8 : (array.offset + len(array)) * 8])


def samples(data: Any, labels: Any = None, groups: Any = None, counts: Any = None) -> _native.Samples:
    """Samples of a column of sequences and columns beside it."""
    taken = sequences(data)
    if not isinstance(taken, ArrowSequences):
        return _native.Samples.of_sequences(taken, to_list(labels), to_list(groups), to_list(counts))
    import pyarrow as pa
    import pyarrow.compute as pc

    beside: dict[str, Any] = {}
    if labels is not None:
        array = _array(labels) if kind_of(labels) else pa.array(list(labels))
        if not pa.types.is_integer(array.type) or array.null_count or not _fits(array):
            refuse_labels(array.to_pylist())
        beside["labels"] = _numbers(array)[::8] if _LITTLE else bytes(array.to_pylist())
    if groups is not None:
        array = _array(groups) if kind_of(groups) else pa.array(list(groups))
        encoded = pc.dictionary_encode(array, null_encoding="encode")
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        beside["groups"] = (_numbers(encoded.indices), encoded.dictionary.to_pylist())
    if counts is not None:
        array = _array(counts) if kind_of(counts) else pa.array(list(counts))
        if not pa.types.is_integer(array.type) or array.null_count:
            return _native.Samples.of_sequences(to_list(data), to_list(labels), to_list(groups), to_list(counts))
        beside["counts"] = _numbers(array)
    return _native.Samples.of_arrow(*taken, **beside)


def _fits(array: Any) -> bool:
    """Whether all labels fit a byte, so that the lowest byte is the number."""
    import pyarrow.compute as pc

    if not len(array):
        return True
    ends = pc.min_max(array)
    return bool(ends["min"].as_py() >= 0 and ends["max"].as_py() < 256)


def refuse_labels(labels: list[Any]) -> None:
    """Raises what is wrong with one of them."""
    _native.Samples.of_sequences([[] for _ in labels], labels)


def to_list(data: Any) -> Any:
    """A column as a list of Python objects."""
    if data is None:
        return None
    if kind_of(data) in ("polars", "arrow"):
        return _array(data).to_pylist()
    return list(data)


def predictions(model: _native.Model, data: Any, threads: int | None) -> Any:
    """What the model says of each sequence of a column, as a table of the same kind."""
    taken = sequences(data)
    said = model.predict_arrow(*taken, threads=threads) if isinstance(taken, ArrowSequences) else model.predict_columns(taken, threads)
    kind = kind_of(data)
    if kind == "pandas":
        return _pandas(said, data.index)
    import pyarrow as pa

    labels, scores, confidences, there, surprises = said
    columns = {
        "label": pa.Array.from_buffers(pa.int8(), len(labels), [None, pa.py_buffer(labels)]),
        "score": _floats(scores, there),
        "confidence": _floats(confidences, there),
    }
    if surprises is not None:
        columns["surprise"] = _floats(surprises, there)
    table = pa.table(columns)
    if kind == "polars":
        import polars

        return polars.from_arrow(table)
    return table


def _floats(values: bytes, there: bytes) -> Any:
    import pyarrow as pa

    return pa.Array.from_buffers(pa.float64(), len(values) // 8, [pa.py_buffer(there), pa.py_buffer(values)])


def _pandas(said: Any, index: Any) -> Any:
    import numpy
    import pandas

    labels, scores, confidences, _, surprises = said
    columns = {
        "label": numpy.frombuffer(labels, dtype=numpy.int8),
        "score": numpy.frombuffer(scores),
        "confidence": numpy.frombuffer(confidences),
    }
    if surprises is not None:
        columns["surprise"] = numpy.frombuffer(surprises)
    return pandas.DataFrame(columns, index=index)
