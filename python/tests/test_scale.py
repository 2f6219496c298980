"""The recipes of docs/scale.md, run as they stand there."""

import collections
import json
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from conftest import events

pl = pytest.importorskip("polars")
PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def recipe(language, holds):
    """The piece of the page in this language that holds these words."""
    if not PAGE.exists():
        pytest.skip("not in a checkout")
    pieces = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    (piece,) = [piece for piece in pieces if holds in piece]
    return piece


@pytest.fixture
def counted(tmp_path, file_of, command, monkeypatch):
    """Makes events in Parquet, and returns how often the command makes which sample of them."""
    found = list(events(5000, seed=4))
    said = command("sessions", file_of(found), "--session-gap", "30m")
    tasks = {event["agent_id"]: event["task"] for event in found}
    rows = [json.loads(line) for line in said.splitlines()]
    (tmp_path / "events").mkdir()
    frame = pl.DataFrame(found).with_row_index("ordinal")
    times = pl.Series("timestamp", [datetime.fromtimestamp(event["timestamp"], timezone.utc) for event in found])
    frame = frame.with_columns(times).select("ordinal", "agent_id", "action_type", "timestamp", "label", "task")
    for part in range(3):
        frame.filter(pl.col("ordinal") % 3 == part).write_parquet(tmp_path / "events" / f"{part}.parquet")
    monkeypatch.chdir(tmp_path)
    return collections.Counter((tuple(row["sequence"]), row["label"], tasks[row["agent_id"]]) for row in rows)


def as_counts(text):
    rows = [json.loads(line) for line in text.splitlines()]
    found = {(tuple(row["sequence"]), row["label"], row["group"]): row["count"] for row in rows}
    assert len(found) == len(rows), "each sample stands once"
    return found


def trained(text, tmp_path, command):
    options = ["--group-by", "group", "--count-field", "count", "--json", "--models-dir", tmp_path / "m"]
    return json.loads(command("--data", "-", *options, stdin=text))["digest"]


def test_duckdb_and_polars_make_the_samples_of_the_command_and_one_model(counted, tmp_path, command):
    duckdb = pytest.importorskip("duckdb")
    script = "import duckdb, sys; duckdb.sql(sys.argv[1])"
    assert duckdb.__version__
    by = {
        "duckdb": [sys.executable, "-c", script, recipe("sql", "COPY (")],
        "polars": [sys.executable, "-c", recipe("python", "scan_parquet")],
    }
    digests = set()
    for name, call in by.items():
        said = subprocess.run(call, capture_output=True, text=True, check=True).stdout
        assert as_counts(said) == counted, name
        digests.add(trained(said, tmp_path, command))
    assert len(digests) == 1
