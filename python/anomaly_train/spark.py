"""Spark: events made into sessions, sessions counted, scored and explained, on the executors. Needs the extra `anomaly-train[spark]`.

    from anomaly_train import spark
    sessions = spark.sessions(spark_session.read.parquet("events"), session_gap="30m", group_by="task")
    spark.collapse(sessions).write.json("samples")          # anomaly-train --data samples --group-by group --count-field count
    spark.score(sessions, "models/current/anomaly_model_20261122_120000.json").where("label = 1").show()

Rows become sessions by the rules of the command line, in its own code: each partition holds all events of its agents or sessions. A model
travels by broadcast and is checked by its digest where it arrives.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F
from pyspark.sql import types as T

from . import _columns, _native, _options
from .classifier import AnomalyMLClassifier

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["collapse", "evaluate", "explain", "score", "sessions"]

_SESSIONS = "agent string, session string, sequence array<string>, label tinyint, group string, first timestamp, last timestamp"
# What a partition does not know of the order in which events came, a column has to say.
_ORDINAL = "__ordinal"


def sessions(
    df: DataFrame,
    *,
    group_by: str | None = None,
    ordinal: str | None = None,
    partitions: int | None = None,
    **options: Any,
) -> DataFrame:
    """Cuts events into sessions, as `anomaly-train sessions` does.

    Parameters
    ----------
    df : DataFrame
        Events, one a row, with the columns `agent_id`, `action_type`, and `timestamp` and `label` if there are any.
    group_by : str, optional
        The column that says what a session belongs to, such as a task.
    ordinal : str, optional
        A column by which events of the same moment are ordered; the order in which Spark reads them if not given, which is that of the rows
        in a file, but may differ from engine to engine where there are several.
    partitions : int, optional
        How many partitions there are afterwards. The events of one of them are held in memory, at about 50 bytes each.
    **options
        The options of the command line for logs, with underscores: `agent_field`, `session_by` (a string or a list), `session_gap`,
        `action_field`, `time_field`, `time_unit`, `label_field`, `anomalous_label`, `id_field`, `normalize_names`, ...

    Returns
    -------
    DataFrame
        `agent`, `session` (its name in the log, or the agent), `sequence`, `label` (null for none), `group` (null for none), `first` and
        `last`, one row a session, in no particular order.

    Raises
    ------
    ValueError
        For options that cannot be, at once; for events that the command line refuses, in its words, when the job runs.
    """
    arguments = _options.arguments(options)
    _native.Sessions(arguments, group_by)
    session_by = options.get("session_by") or []
    keys = [session_by] if isinstance(session_by, str) else list(session_by)
    keys = [key for name in keys for key in name.split(",")] or [options.get("agent_field") or "agent_id"]
    order = F.col(ordinal) if ordinal else F.monotonically_increasing_id()
    event = F.to_json(F.struct("*"), {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"})
    lines = df.select(order.alias(_ORDINAL), F.struct(*[F.col(key) for key in keys]).alias("key"), event.alias("event"))
    together = lines.repartition(partitions, "key") if partitions else lines.repartition("key")
    ordered = together.sortWithinPartitions(_ORDINAL).select("event")
    return ordered.mapInArrow(_cut(arguments, group_by), _SESSIONS)


def _cut(arguments: list[str], group_by: str | None) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def cut(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        events = _native.Sessions(arguments, group_by)
        empty = True
        for batch in batches:
            column = batch.column(0)
            if len(column):
                empty = False
                whole = pa.ListArray.from_arrays(pa.array([0, len(column)], pa.int32()), column.cast(pa.string()))
                events.push(pc.binary_join(whole, "\n")[0].as_buffer().to_pybytes())
        if empty:
            return
        agents, names, lengths, actions, labels, groups, first, last = events.finish()
        count = len(labels)
        table = pa.table(
            {
                "agent": _texts(agents, count),
                "session": _texts(names, count),
                "sequence": _lists(lengths, actions, count),
                "label": _labels(labels),
                "group": _groups(_texts(groups, count)),
                "first": _times(first),
                "last": _times(last),
            }
        )
        yield from table.to_batches(max_chunksize=10_000)

    return cut


def _texts(columns: tuple[bytes, bytes], count: int) -> Any:
    ends, text = columns
    return pa.Array.from_buffers(pa.large_string(), count, [None, pa.py_buffer(ends), pa.py_buffer(text)]).cast(pa.string())


def _lists(lengths: bytes, actions: tuple[bytes, bytes], count: int) -> Any:
    sizes = pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(lengths)])
    ends = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(sizes)])
    values = _texts(actions, len(actions[0]) // 8 - 1)
    return pa.ListArray.from_arrays(ends.cast(pa.int32()), values)


def _labels(labels: bytes) -> Any:
    numbers = pa.Array.from_buffers(pa.uint8(), len(labels), [None, pa.py_buffer(labels)])
    return pc.if_else(pc.equal(numbers, 255), None, numbers).cast(pa.int8())


def _groups(groups: Any) -> Any:
    # The library puts a quote before a string, so that "5" and 5 are two groups; a column has one type.
    plain = pc.replace_substring_regex(groups, '^"', "")
    return pc.if_else(pc.equal(groups, ""), None, plain)


def _times(micros: bytes) -> Any:
    numbers = pa.Array.from_buffers(pa.int64(), len(micros) // 8, [None, pa.py_buffer(micros)])
    there = pc.not_equal(numbers, -(2**63))
    return pc.if_else(there, numbers, None).cast(pa.timestamp("us", "UTC"))


def collapse(sessions: DataFrame) -> DataFrame:
    """Counts sessions that are alike: `sequence`, `label`, `group` if there is a column of that name, and `count`, one row for each that
    differs. What a model learns is the same; real logs shrink to a half or a quarter. Sessions without a label or an action are left out."""
    labelled = sessions.where(F.col("label").isNotNull() & (F.size("sequence") > 0))
    keys = [name for name in ("sequence", "label", "group") if name in sessions.columns]
    return labelled.groupBy(*keys).count()


def score(df: DataFrame, model: AnomalyMLClassifier | str | os.PathLike[str], *, sequence: str = "sequence") -> DataFrame:
    """Adds `predicted` (0 or 1), `score` and `confidence` to each row, exactly as `predict` works them out; null where a sequence is empty."""
    columns = [
        T.StructField("predicted", T.ByteType()),
        T.StructField("score", T.DoubleType()),
        T.StructField("confidence", T.DoubleType()),
    ]
    return df.mapInArrow(_scoring(df, model, sequence), T.StructType([*df.schema.fields, *columns]))


def _scoring(
    df: DataFrame, model: AnomalyMLClassifier | str | os.PathLike[str], sequence: str
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    arrived = _broadcast(df, model)

    def add_scores(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        here = arrived()
        for batch in batches:
            said = _columns.predictions(here, batch.column(sequence), 1)
            columns = {name: batch.column(name) for name in batch.schema.names}
            columns.update(predicted=said["label"], score=said["score"], confidence=said["confidence"])
            yield from pa.table(columns).to_batches()

    return add_scores


def explain(df: DataFrame, model: AnomalyMLClassifier | str | os.PathLike[str], *, top: int = 10, sequence: str = "sequence") -> DataFrame:
    """Adds `explanation` to each row: the JSON that `predict --explain` writes under that name."""
    arrived = _broadcast(df, model)

    def add_explanations(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        here = arrived()
        for batch in batches:
            said = [here.explain(actions, top) for actions in batch.column(sequence).to_pylist()]
            columns = {name: batch.column(name) for name in batch.schema.names}
            yield from pa.table({**columns, "explanation": pa.array(said, pa.string())}).to_batches()

    return df.mapInArrow(add_explanations, T.StructType([*df.schema.fields, T.StructField("explanation", T.StringType())]))


def _broadcast(df: DataFrame, model: AnomalyMLClassifier | str | os.PathLike[str]) -> Callable[[], _native.Model]:
    """The model on its way to the executors, each of which reads it once a task and makes sure that it is the same."""
    classifier = model if isinstance(model, AnomalyMLClassifier) else AnomalyMLClassifier.load(model)
    sent, digest = df.sparkSession.sparkContext.broadcast(classifier.to_bytes()), classifier.digest

    def arrived() -> _native.Model:
        here = _native.Model.from_bytes(sent.value)
        if here.digest != digest:
            raise ValueError(f"the model that arrived has the digest {here.digest}, not {digest}")
        return here

    return arrived


def evaluate(df: DataFrame, model: AnomalyMLClassifier | str | os.PathLike[str], **options: Any) -> dict[str, Any]:
    """The figures of the model on labelled sessions: they are counted on the executors and judged here, as `AnomalyMLClassifier.evaluate`
    does. Groups are those of a column `group`."""
    classifier = model if isinstance(model, AnomalyMLClassifier) else AnomalyMLClassifier.load(model)
    counted = collapse(df).toArrow()
    groups = counted["group"] if "group" in counted.column_names and not counted["group"].null_count else None
    return classifier.evaluate(counted.select(["sequence", "label"]), groups=groups, counts=counted["count"], **options)
