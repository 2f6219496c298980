#!/usr/bin/env python3
"""Makes sessions and counted samples of the same events by the command line, DuckDB, Polars and Spark, compares them, and scores them on
executors: the figures of docs/scale.md.

usage: scale.py FOLDER [--events 10000000] [--master local[2]] [--only command,duckdb,polars,spark,score]
       pip install './python[spark]' duckdb polars

FOLDER gets the events (a tenth of a kilobyte each as JSON lines, in Parquet a fifth of that) and the results. Each way runs as a process
of its own, whose wall clock, CPU and peak memory are told.
"""
import argparse, hashlib, json, os, pathlib, re, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
MAKE = """
import duckdb, sys
count, folder = int(sys.argv[1]), sys.argv[2]
duckdb.sql("SET threads = 2; SET preserve_insertion_order = true")
duckdb.sql(f'''CREATE TABLE events AS
    SELECT i AS ordinal, 'a' || (hash(i // 20 * 7919) % {max(10, 10000000 // 100)}) AS agent_id,
           ['read', 'write', 'open', 'close', 'send', 'list'][1 + (hash(hash(i // 20) % 5000 * 100 + i % 20) % 6)::INT] AS action_type,
           TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_microseconds(i * 500000) AS timestamp,
           (hash(i * 31) % 400 = 0)::INT AS label, 't' || (hash(i // 20 * 7919) % 50) AS task
    FROM range({count}) t(i)''')
duckdb.sql(f"COPY events TO '{folder}/events' (FORMAT parquet, PER_THREAD_OUTPUT true)")
duckdb.sql(f"COPY (SELECT * EXCLUDE (timestamp), strftime(timestamp AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') AS timestamp "
           f"FROM events ORDER BY ordinal) TO '{folder}/events.jsonl' (FORMAT json)")
"""
BY_SPARK = """
import sys
from pyspark.sql import SparkSession
from anomaly_train import spark
session = (SparkSession.builder.master(sys.argv[1]).config("spark.driver.memory", "6g").config("spark.ui.enabled", "false")
           .config("spark.sql.shuffle.partitions", "16").config("spark.driver.host", "127.0.0.1").getOrCreate())
session.sparkContext.setLogLevel("ERROR")
events = session.read.parquet("events")
cut = spark.sessions(events, session_gap="30m", group_by="task", ordinal="ordinal", partitions=16)
spark.collapse(cut).write.mode("overwrite").json("spark")
"""
# Scores on executors: a job over sequences that are in memory, and the same job without scoring.
SCORE = """
import sys, time
from pyspark.sql import SparkSession
from anomaly_train import spark
session = (SparkSession.builder.master("local[1]").config("spark.driver.memory", "6g").config("spark.ui.enabled", "false")
           .config("spark.sql.execution.arrow.maxRecordsPerBatch", "100000").getOrCreate())
session.sparkContext.setLogLevel("ERROR")
rows = session.read.json("spark").select("sequence")
rows = rows.crossJoin(session.range(int(sys.argv[2]))).select("sequence").repartition(1).cache()
count = rows.count()
seconds = lambda frame: (lambda begin: (frame.write.format("noop").mode("overwrite").save(), time.time() - begin)[1])(time.time())
same = rows.mapInArrow(lambda batches: batches, rows.schema)
for _ in range(3):
    alone, scored = seconds(same), seconds(spark.score(rows, sys.argv[1]))
    print(f"{count} sequences: {alone:.1f} s through mapInArrow alone, {scored:.1f} s with scores: {count / (scored - alone) / 1e6:.2f} M a core second", flush=True)
"""


def recipe(language, holds):
    (piece,) = [piece for piece in re.findall(rf"```{language}\n(.*?)```", PAGE, re.S) if holds in piece]
    return piece


def tree(pid):
    """A process and all that come from it."""
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in tree(int(child)))]


def resident(pid):
    try:
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def busy():
    """Seconds that all cores of the machine have worked."""
    user, nice, system, *_ = map(int, pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def timed(name, call, folder, out=None):
    """Runs a process, and says what it and all that come from it took; the CPU is that of the machine, which should do nothing else."""
    before, begin, most = busy(), time.time(), 0
    with open(out or os.devnull, "wb") as file, open(folder / "errors", "w+b") as errors:
        process = subprocess.Popen(call, cwd=folder, stdout=file, stderr=errors)
        while process.poll() is None:
            most = max(most, sum(map(resident, tree(process.pid))))
            time.sleep(0.1)
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{name}: {errors.read().decode()[-2000:]}")
    spilled = sum(path.stat().st_size for path in folder.glob("spill/*")) if (folder / "spill").exists() else 0
    print(f"| {name} | {time.time() - begin:.1f} | {busy() - before:.1f} | {most / 1e6:.0f} |" + (f" {spilled / 1e6:.0f} MB left in spill" if spilled else ""), flush=True)


def digest_of(paths):
    """What the samples are, whatever their order."""
    total, rows = 0, 0
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                key = json.dumps([row["sequence"], row["label"], row["group"], row["count"]])
                total = (total + int.from_bytes(hashlib.sha256(key.encode()).digest(), "big")) % 2**256
                rows += 1
    return rows, f"{total:064x}"[:16]


def by_command(folder):
    """Counts what `sessions` writes; its groups are the tasks of the agents."""
    import collections

    tasks, counts = {}, collections.Counter()
    with open(folder / "events.jsonl", encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            tasks.setdefault(event["agent_id"], event["task"])
    with open(folder / "sessions.jsonl", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            counts[(tuple(row["sequence"]), row["label"], tasks[row["agent_id"]])] += 1
    with open(folder / "command.jsonl", "w", encoding="utf-8") as file:
        for (sequence, label, group), count in counts.items():
            file.write(json.dumps({"sequence": sequence, "label": label, "group": group, "count": count}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--only", default="command,duckdb,polars,spark,score")
    args = parser.parse_args()
    folder, only = args.folder.resolve(), args.only.split(",")
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    python = sys.executable
    if not (folder / "events.jsonl").exists():
        subprocess.run([python, "-c", MAKE, str(args.events), str(folder)], check=True)
    print("| | wall, s | CPU, s | peak memory, MB |\n|---|---|---|---|")
    results = {}
    if "duckdb" in only:
        script = "import duckdb, sys; duckdb.sql(\"SET temp_directory = 'spill'\"); duckdb.sql(sys.argv[1])"
        timed("DuckDB", [python, "-c", script, recipe("sql", "COPY (")], folder, folder / "duckdb.jsonl")
        results["duckdb"] = [folder / "duckdb.jsonl"]
    if "command" in only:
        timed("anomaly-train sessions", ["anomaly-train", "sessions", "events.jsonl", "--session-gap", "30m"], folder, folder / "sessions.jsonl")
        by_command(folder)
        results["command"] = [folder / "command.jsonl"]
    if "polars" in only:
        timed("Polars", [python, "-c", recipe("python", "scan_parquet")], folder, folder / "polars.jsonl")
        results["polars"] = [folder / "polars.jsonl"]
    if "spark" in only:
        timed("Spark", [python, "-c", BY_SPARK, args.master], folder)
        results["spark"] = sorted((folder / "spark").glob("part-*"))
    print()
    for name, paths in results.items():
        rows, same = digest_of(paths)
        call = ["anomaly-train", *(f"--data={path}" for path in paths), "--group-by", "group", "--count-field", "count", "--json", "--models-dir", "models"]
        said = subprocess.run(call, cwd=folder, capture_output=True, text=True)
        model = json.loads(said.stdout)
        print(f"{name}: {rows} counted samples ({same}), model {model['digest'][:16]}", flush=True)
    if "score" in only:
        model = str(folder / model["model_path"])
        subprocess.run([python, "-c", SCORE, model, "40"], cwd=folder, check=True)


if __name__ == "__main__":
    main()
