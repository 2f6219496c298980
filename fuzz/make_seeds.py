"""Makes the seed corpora in fuzz/seeds anew: python3 fuzz/make_seeds.py BINARY

Small inputs of the shapes that the fuzz targets know, so that the fuzzer starts behind the front door. Standard library only.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"
SAMPLES = [
    (["read", "write"], 0),
    (["read", "close"], 0),
    (["read"], 0),
    (["scan", "read"], 1),
    (["scan", "scan", "send"], 1),
    (["é", "read", "write"], 0),
]
LOGS = [
    '{"agent_id": "a", "action_type": "b", "timestamp": 1795341600.5, "event_id": 7, "risk_score": 0.5, "label": 1}',
    '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeSpans":[{"spans":[{"traceId":"t","spanId":"1",'
    '"name":"execute_tool a","startTimeUnixNano":"1795341600000000001","attributes":[{"key":"gen_ai.tool.name","value":{"stringValue":"a"}}]}]}]}]}',
    '[{"id": "c", "messages": [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f"}}], "content": [{"type": "tool_use", "id": "2", "name": "g"}]}]}]',
    '{"parentUuid": "u1", "isSidechain": true, "type": "assistant", "sessionId": "s", "uuid": "u2", "timestamp": "2026-11-22T10:00:00.5Z", "message": {"content": [{"type": "tool_use", "id": "t", "name": "n"}]}}',
    '{"Records": [{"eventSource": "s3", "eventName": "Get", "userIdentity": {"arn": "a"}, "eventTime": "2026-11-22T10:00:00Z", "eventID": "1", "errorCode": "x"}]}',
    'node=h type=SYSCALL msg=audit(1795345481.747:1395): arch=c000003e syscall=59 success=no auid=5 ses=7 comm="a b"\x1dSYSCALL=execve AUID="x"',
    'agent_id,action_type,timestamp,label\na1,"o""p\n",2026-03-01T10:00:00Z,0',
    'agent_id\taction_type\na1\topen /data/00001',
]
LINES = [
    '{"id": "a", "task": "t", "features": {"sequence": ["read", "write"]}, "label": 0}',
    '{"label": 1, "sequence": ["scan"], "task": 5, "id": -1.5e3}',
    '["read", "w\\u00e9", "\\ud83d\\ude00"]',
    '{"sequence": [], "label": 0, "id": true, "task": false}',
    '{"sequence": ["a"], "x": [{"y": [1, 2.5, null, "z"]}], "label": 1}',
    '{"sequence": ["a"], "label": "1"}',
    '{"sequence": ["a"], "sequence": ["b"]}',
    '{"features": {"sequence": ["a", 5]}, "label": 0}',
    "{'sequence': ['a']}",
    "[{",
]


def body_digest(text):
    """The digest of a model file, as docs/formats.md says it."""
    at = text.index(b',"format_version":')
    return hashlib.sha256(b"{" + text[at + 1 : -1]).hexdigest().encode()


def with_digest(text):
    return b'{"digest":"' + body_digest(text) + text[75:]


def plain(text):
    """The file with short weights: a digit more or less leaves them numbers as they are written."""
    short = lambda number: repr(round(float(number[0]) * 8) / 8 or 0.0).encode()
    tables = text.index(b'"bias":')
    return with_digest(text[:tables] + re.sub(rb"-?\d+\.\d+(e-?\d+)?", short, text[tables:]))


def write(target, name, content):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def run(command):
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1800000000"}
    subprocess.run([str(part) for part in command], env=environment, check=True, capture_output=True)


def models(binary, folder):
    data = folder / "data.jsonl"
    rows = [{"sequence": sequence, "label": label} for sequence, label in SAMPLES * 30]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for n in (1, 2, 3):
        store = folder / f"models{n}"
        command = [binary, "--data", data, "--ngram-size", str(n), "--epochs", "2", "--models-dir", store, "-qq"]
        command += ["--train-ratio", "0.4", "--promotion-min-accuracy", "0.5", "--promotion-max-regression", "1"]
        for highest in ("1", "0", "1"):
            run([*command, "--promotion-max-ece", highest])
        for path in sorted(store.glob("*/anomaly_model_*.json")):
            text = path.read_bytes()
            name = f"n{n}_{path.parent.name}"
            write("model", name, text)
            write("model", f"{name}_plain", plain(text))
        # As the library writes it: no figures, no data.
        bare = re.sub(rb',"created_at".*?(?=,"tool_version")', b"", text)
        bare = re.sub(rb',"verdict":.*?(?=,"format_version")', b"", bare)
        figures = rb'"data":\{.*?"metrics":\{.*(?=,"training_samples":\{"normal")'
        bare = re.sub(figures, b'"data":null,"metrics":null', bare)
        write("model", f"n{n}_bare", plain(with_digest(bare)))
    # As a normal-only model has it: its numbers are counts, and there is no short form.
    store = folder / "normal"
    command = [binary, "--data", data, "--normal-only", "--drop-anomalous", "--models-dir", store, "-qq"]
    run([*command, "--ngram-size", "3", "--window", "2", "--anomaly-threshold", "0.9", "--train-ratio", "0.7"])
    for path in sorted(store.glob("*/anomaly_model_*.json")):
        write("model", "normal_only", path.read_bytes())
    store = folder / "models3"
    run([binary, "rollback", "--models-dir", store])
    candidate = next(store.glob("candidates/anomaly_model_*.json"))
    run([binary, "promote", candidate, "--models-dir", store])
    record = (store / "promotions.jsonl").read_bytes()
    write("history", "all", record)
    for number, line in enumerate(record.splitlines(keepends=True)):
        write("history", f"line_{number}", line)
    write("history", "truncated_tail", record[:-40])


def main():
    binary = str(Path(sys.argv[1]).resolve())
    shutil.rmtree(SEEDS, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        models(binary, Path(folder))
    for number, line in enumerate(LINES):
        write("records", f"line_{number}", bytes([0, 3, 7, 1]) + line.encode())
    for number, log in enumerate(LOGS):
        for twice in range(2):
            write("logs", f"log_{number}_{twice}", bytes([number, 0, 7 * twice, 3, 1]) + "\n".join([log] * (twice + 1)).encode())
    for number, end in enumerate(["\n", "\r\n", "\r"]):
        mark = "\ufeff" if number else ""
        text = mark + end.join([*LINES[:3], "", *LINES[3:]]) + end
        write("records", f"all_{number}", bytes([number + 4 * number, 1, 30, 5]) + text.encode())
    write("round_trip", "small", bytes(range(200)))
    write("round_trip", "text", bytes([2, 0, 1, 7] * 4) + b"read write scan " * 12 + bytes(range(64)))
    total = sum(path.stat().st_size for path in SEEDS.rglob("*") if path.is_file())
    print(f"{total} bytes of seeds")


main()
