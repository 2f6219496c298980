"""Spark as a cluster: a master and two workers as processes of their own, one of which is killed in the middle. Run by `.ci/run --all`."""

import collections
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import events

pytest.importorskip("pyspark")
if not os.environ.get("ANOMALY_TRAIN_CLUSTER"):
    pytest.skip("takes minutes; ANOMALY_TRAIN_CLUSTER=1 runs it", allow_module_level=True)

import pyspark
from pyspark.sql import SparkSession

from anomaly_train import AnomalyMLClassifier, spark

HOME = Path(pyspark.__file__).parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A master and two workers of one core each, on loopback."""

    def __init__(self, folder):
        self.port, self.page = free_port(), free_port()
        self.folder = folder
        self.master = self.start("master", "master.Master", "--host", "127.0.0.1", "--port", self.port, "--webui-port", self.page)
        self.workers = [self.work(name) for name in ("first", "second")]
        self.wait_for(2)

    def start(self, name, what, *arguments):
        call = [HOME / "bin" / "spark-class", f"org.apache.spark.deploy.{what}", *map(str, arguments)]
        settings = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable, "SPARK_WORKER_DIR": str(self.folder / name)}
        with open(self.folder / f"{name}.log", "wb") as log:
            return subprocess.Popen(call, stdout=log, stderr=log, env={**os.environ, **settings}, start_new_session=True)

    def work(self, name):
        return self.start(name, "worker.Worker", "-c", 1, "-m", "2g", "--host", "127.0.0.1", "--webui-port", free_port(), self.url)

    @property
    def url(self):
        return f"spark://127.0.0.1:{self.port}"

    def alive(self):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.page}/json/", timeout=5) as said:
            return json.load(said)["aliveworkers"]
        return 0

    def wait_for(self, workers):
        for _ in range(240):
            if self.alive() >= workers:
                return
            time.sleep(0.5)
        raise RuntimeError(f"there are {self.alive()} workers")

    def kill(self, worker):
        """Ends a worker and its executors at once, as a machine that loses its power does."""
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def stop(self):
        for process in [*self.workers, self.master]:
            if process.poll() is None:
                self.kill(process)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def session(cluster):
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master(cluster.url)
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "24")
        .config("spark.default.parallelism", "24")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executor.memory", "1g")
        .config("spark.task.maxFailures", "8")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def while_a_worker_dies(cluster, job):
    """What a job gives during which a worker is killed; a new one takes its place."""
    said = []
    thread = threading.Thread(target=lambda: said.append(job()))
    thread.start()
    time.sleep(3)
    assert thread.is_alive(), "the job has ended too early to be disturbed"
    cluster.kill(cluster.workers.pop(0))
    thread.join(timeout=300)
    assert said, "the job did not end well"
    cluster.workers.append(cluster.work(f"next-{time.time_ns()}"))
    cluster.wait_for(2)
    return said[0]


def test_a_worker_that_is_killed_changes_no_session_and_no_score(cluster, session, samples, tmp_path, command, file_of):
    found = list(events(60_000, seed=9))
    path = file_of(found)
    rows = [{"number": number, **{k: v for k, v in event.items() if k != "user"}} for number, event in enumerate(found)]
    frame = session.createDataFrame(rows).repartition(24)

    theirs = collections.Counter(
        (row["agent_id"], tuple(row["sequence"]), row["label"])
        for row in map(json.loads, command("sessions", path, "--session-gap", "2m").splitlines())
    )

    def slowly(batches):
        for batch in batches:
            time.sleep(0.5)
            yield batch

    slow = frame.mapInArrow(slowly, frame.schema)

    def cut_slowly():
        # What orders events of one moment must not depend on who reads them.
        cut = spark.sessions(slow, session_gap="2m", group_by="task", ordinal="number", partitions=24)
        return collections.Counter((row["agent"], tuple(row["sequence"]), row["label"]) for row in cut.collect())

    model = AnomalyMLClassifier().train(samples)
    rows = [(index, sample["features"]["sequence"]) for index, sample in enumerate(samples)]
    sequences = session.createDataFrame(rows, "number int, sequence array<string>").repartition(24)

    def score_slowly():
        scored = spark.score(sequences.mapInArrow(slowly, sequences.schema), model).collect()
        return {row["number"]: row["score"] for row in scored}

    expected = {index: model.predict(sequence)["score"] for index, sequence in rows}
    assert while_a_worker_dies(cluster, score_slowly) == expected
    assert while_a_worker_dies(cluster, cut_slowly) == theirs
