import json
import os
import shutil
import subprocess

import pytest

from anomaly_train import generate


@pytest.fixture(scope="session")
def samples():
    """Two thousand sessions with hidden attacks, a third of them anomalous."""
    return generate(2000, "mixed", seed=5)


@pytest.fixture(scope="session")
def command():
    """Runs the command that was installed with the module."""
    path = shutil.which("anomaly-train")
    assert path, "the command is not on the path"

    def run(*arguments, cwd=None, expect=0, stdin=None):
        done = subprocess.run(
            [path, *map(str, arguments)], cwd=cwd, input=stdin, capture_output=True, text=True, env={**os.environ, "RUST_LOG": "warn"}
        )
        assert done.returncode == expect, done.stderr
        return done.stdout

    return run


@pytest.fixture
def file_of(tmp_path):
    """Writes objects as lines of JSON."""

    def write(items, name="data.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
        return path

    return write
