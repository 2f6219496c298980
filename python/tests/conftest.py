import json
import os
import random
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


def events(count, seed=1):
    """Thirty agents of seven tasks, some of whose events share a moment, and names that need care in JSON."""
    draw = random.Random(seed)
    now = 1_795_341_600.0
    for _ in range(count):
        now += draw.choice([0, 0.001, 20, 60]) * draw.random()
        agent = draw.randrange(30)
        yield {
            "agent_id": f"a{agent}",
            "action_type": draw.choice(["read", "write", "exploit", "größe", 'x"y\\z', "get 17"]),
            "timestamp": round(now, 3),
            "label": int(draw.random() < 0.05),
            "task": f"t{agent % 7}",
            "user": {"name": f"u{agent % 3}"},
            "verdict": draw.choice(["ok", "ok", "bad"]),
        }
