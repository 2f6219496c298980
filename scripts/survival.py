#!/usr/bin/env python3
"""Tries to make anomaly-train lose a model, and to make one seed give two models.

    survival.py kill BINARY [RUNS]      kill -9 at a random moment, RUNS times (default 10000)
    survival.py inject BINARY           every system call of saving fails in every way, or kills; needs strace
    survival.py disk BINARY             full, tiny and read-only file systems; needs root
    survival.py same BINARY [BINARY..]  one digest over threads, locales, time zones, CPU features and binaries

Needs only Python. Each prints what it did and exits with 1 if a promise was broken.
"""

import collections
import hashlib
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ARGS = ["--num-samples", "200", "--promotion-max-ece", "1", "-qq"]
broken = []


def check(holds, what):
    if not holds:
        broken.append(what)
        print("BROKEN:", what)


def files(root):
    """Every file below root with the SHA-256 of its bytes."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path(root).rglob("*")
        if path.is_file()
    }


def is_leftover(name):
    return ".anomaly-train-" in name


def whole(path):
    """Whether a model file is complete: its digest is that of its content."""
    text = path.read_bytes()
    start = text.find(b',"format_version":')
    if start < 0 or not text.endswith(b"}\n"):
        return False
    return hashlib.sha256(b"{" + text[start + 1 : -1]).hexdigest() == json.loads(text)["digest"]


def lines(root):
    path = Path(root) / "promotions.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def check_pairs(root, what, known=()):
    """Every model is whole and has its metrics, and every line of the record has its model."""
    for path in Path(root).glob("c*/anomaly_model_*.json"):
        if path.name not in known:
            check(whole(path), f"{what}: {path.name} is torn")
            check(Path(str(path).replace("_model_", "_metrics_")).exists(), f"{what}: {path.name} has no metrics")
    for entry in lines(root):
        check((Path(root) / entry["model"]).exists(), f"{what}: {entry['model']} is recorded but gone")


def check_clean(root, what):
    """Nothing is left over, and every pair has its line."""
    recorded = {entry["model"] for entry in lines(root)}
    for name in files(root):
        check(not is_leftover(name), f"{what}: {name} is left over")
        check("anomaly_model_" not in name or name in recorded, f"{what}: {name} has no line in the record")
        model = name.replace("anomaly_metrics_", "anomaly_model_")
        check(name == "promotions.jsonl" or (Path(root) / model).exists(), f"{what}: {name} has no model")


def run(binary, root, prefix=(), **options):
    command = [*prefix, binary, *ARGS, "--models-dir", str(root)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def kill(binary, runs):
    ended = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        for _ in range(20):
            run(binary, Path(folder) / "warm")
        longest = 1.5 * (time.perf_counter() - start) / 20
        root, kept = Path(folder) / "models-0", {}
        for number in range(runs):
            child = subprocess.Popen([binary, *ARGS, "--seed", str(number), "--models-dir", str(root)])
            time.sleep(random.random() * longest)
            child.kill()
            ended["killed" if child.wait() != 0 else "finished"] += 1
            left = [path for path in root.rglob(".anomaly-train-*")] if root.exists() else []
            ended["of those while saving"] += bool(left)
            now = files(root) if root.exists() else {}
            for name, digest in kept.items():
                check(now.get(name) == digest, f"kill {number}: {name} was lost or changed")
            check_pairs(root, f"kill {number}", {Path(name).name for name in kept})
            recorded = {entry["model"] for entry in lines(root)}
            pairs = recorded | {name.replace("anomaly_model_", "anomaly_metrics_") for name in recorded}
            kept = {name: digest for name, digest in now.items() if name in pairs}
            if number % 50 == 49:
                check(run(binary, root).returncode == 0, f"the run after kill {number} failed")
                check_clean(root, f"after kill {number}")
                ended["clean-ups checked"] += 1
                root, kept = Path(folder) / f"models-{number}", {}
    print("kill -9:", dict(ended))


CALLS = "openat write fsync rename renameat renameat2 linkat unlink unlinkat ftruncate flock mkdir newfstatat statx lseek read close".split()
INTERRUPTIBLE = "openat write fsync rename renameat renameat2 ftruncate flock read".split()
ERRORS = "EIO ENOSPC EACCES EROFS EDQUOT EMFILE ENOMEM".split()


def saving_calls(binary, folder):
    """The system calls of saving, as (name, number of the call of this name)."""
    trace = Path(folder) / "trace"
    prepare(binary, Path(folder) / "counted")
    run(binary, Path(folder) / "counted", ["strace", "-f", "-o", str(trace), "-e", "trace=" + ",".join(CALLS)])
    counts, found, saving = collections.Counter(), [], False
    for line in trace.read_text().splitlines():
        match = re.match(r"\d+ +(\w+)\(", line)
        if not match:
            continue
        name = match.group(1)
        counts[name] += 1
        saving |= name == "flock"
        if saving:
            found.append((name, counts[name]))
    return found


def prepare(binary, root):
    run(binary, root, env={**os.environ, "SOURCE_DATE_EPOCH": "1000000000"})
    return files(root)


def inject(binary):
    ended = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        calls = saving_calls(binary, folder)
        ways = [f"error={error}" for error in ERRORS] + ["signal=KILL"]
        cases = list(itertools.product(calls, ways))
        cases += [((name, number), "error=EINTR") for name, number in calls if name in INTERRUPTIBLE]
        cases += [((name, number), "retval=7") for name, number in calls if name == "write"]
        for case, ((name, number), way) in enumerate(cases):
            root = Path(folder) / f"models-{case}"
            before = prepare(binary, root)
            what = f"{name} {number} {way}"
            verdicts = [entry["act"] for entry in lines(root)]
            prefix = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={name}:{way}:when={number}"]
            done = run(binary, root, prefix)
            after = files(root)
            for path, digest in before.items():
                if path != "promotions.jsonl":
                    check(after.get(path) == digest, f"{what}: {path} was lost or changed")
            check_pairs(root, what)
            new = len(lines(root)) - 1
            check(new in (0, 1), f"{what}: {new} new lines in the record")
            if done.returncode == 0:
                check(new == 1, f"{what}: exit 0 but nothing new")
                acts = [entry["act"] for entry in lines(root)]
                check(acts == verdicts + ["promoted"], f"{what}: another verdict: {lines(root)[-1]['reasons']}")
                ended["exit 0, new and complete"] += 1
            elif way == "signal=KILL":
                ended["killed"] += 1
            else:
                check(way != "error=EINTR", f"{what}: not invisible: {done.stderr!r}")
                check(done.returncode in (1, 3), f"{what}: exit {done.returncode}")
                errors = [line for line in done.stderr.splitlines() if "error:" in line]
                check(len(errors) == 1, f"{what}: {done.stderr!r}")
                if new == 1:
                    check("not confirmed" in done.stderr, f"{what}: something new, but {done.stderr!r}")
                    ended["exit 1, saved but not confirmed"] += 1
                else:
                    ended["exit 1 or 3, as it was"] += 1
            follow_up = run(binary, root)
            check(follow_up.returncode == 0, f"{what}: the next run failed: {follow_up.stderr!r}")
            check_clean(root, f"after {what}")
            subprocess.run(["rm", "-rf", str(root)], check=True)
    print(f"{len(cases)} injected faults at {len(calls)} system calls:", dict(ended))


def disk(binary):
    ended = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "mounted"
        root.mkdir()
        for options in ["size=64k", "size=16k", "size=4k", "nr_inodes=4", "nr_inodes=6", "nr_inodes=8", "ro"]:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(root)], check=True)
            run(binary, root, env={**os.environ, "SOURCE_DATE_EPOCH": "1000000000"})
            before = files(root)
            subprocess.run(["mount", "-o", f"remount,{options}", str(root)], capture_output=True)
            if options.startswith("size") or options.startswith("nr"):
                # What is there already may be more than the new limit: fill up what is left instead.
                subprocess.run(["umount", str(root)], check=True)
                subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(root)], check=True)
                before = {}
            for attempt in range(20):
                done = run(binary, root, env={**os.environ, "SOURCE_DATE_EPOCH": str(attempt)})
                if done.returncode != 0:
                    check(done.returncode == 1, f"{options}: exit {done.returncode}")
                    check(len([l for l in done.stderr.splitlines() if "error:" in l]) == 1, f"{options}: {done.stderr!r}")
                    ended[f"{options}: exit 1"] += 1
                else:
                    ended[f"{options}: saved"] += 1
                now = files(root)
                for path, digest in before.items():
                    if path != "promotions.jsonl":
                        check(now.get(path) == digest, f"{options}: {path} was lost or changed")
                check_pairs(root, options)
                before = now
            for name in files(root):
                check(not is_leftover(name), f"{options}: {name} is left over")
            subprocess.run(["umount", str(root)], check=True)
        done = subprocess.run([binary, *ARGS[:-1], "--models-dir", str(root)], stdout=open("/dev/full", "w"), stderr=subprocess.DEVNULL)
        check(done.returncode == 1, f"/dev/full: exit {done.returncode}")
        check_clean(root, "/dev/full")
    print("disks:", dict(ended))


def same(binaries):
    locales = ["C", "C.UTF-8", "tr_TR.UTF-8", "de_DE.UTF-8", "ar_EG.UTF-8", "nonsense", None]
    zones = ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "nonsense"]
    tunables = [None, "glibc.cpu.hwcaps=-FMA", "glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-FMA,-AVX,-AVX512F"]
    for scenario in ["documented", "mixed"]:
        digests = collections.Counter()
        for binary, threads, locale, zone, tunable in itertools.product(binaries, [1, 2, 3, 8, 64], locales, zones, tunables):
            env = {"TZ": zone, "SOURCE_DATE_EPOCH": "1000000000"}
            env.update({"LC_ALL": locale} if locale else {})
            env.update({"GLIBC_TUNABLES": tunable} if tunable else {})
            with tempfile.TemporaryDirectory() as folder:
                args = ["--scenario", scenario, "--num-samples", "600", "--threads", str(threads), "-qq"]
                subprocess.run([binary, *args], cwd=folder, env=env, check=True)
                (model,) = Path(folder).glob("models/c*/anomaly_model_*.json")
                digests[hashlib.sha256(model.read_bytes()).hexdigest()] += 1
        check(len(digests) == 1, f"{scenario}: {dict(digests)}")
        print(f"{scenario}: {sum(digests.values())} runs, {len(digests)} file:", *digests)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    mode, binary = sys.argv[1], os.path.abspath(sys.argv[2])
    if mode == "kill":
        kill(binary, int(sys.argv[3]) if len(sys.argv) > 3 else 10_000)
    elif mode == "inject":
        inject(binary)
    elif mode == "disk":
        disk(binary)
    elif mode == "same":
        same([os.path.abspath(binary) for binary in sys.argv[2:]])
    else:
        sys.exit(__doc__)
    print("every promise held" if not broken else f"{len(broken)} promises were broken")
    sys.exit(bool(broken))
