#!/usr/bin/env python3
"""Turns labelled sequences into an event log, and divides it by group: most groups to train on, the others to watch.

usage: sessions_to_events.py DATA.jsonl FOLDER [--held-out 0.25] [--seed 0]

Each sequence becomes a session of an agent of its own: one action every five seconds, sessions half a minute apart. Writes
FOLDER/past.jsonl with a label in each event and FOLDER/live.jsonl without labels, and FOLDER/truth.json with the label of each
agent in it. The data of docs/monitoring.md are the GitHub sessions of SaFo-Lab/AgentDyn (MIT) as {"id", "group", "features":
{"sequence": [...]}, "label": 0 or 1} a line.
"""
import argparse, json, pathlib, random

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("data")
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--held-out", type=float, default=0.25)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
samples = [s for s in map(json.loads, open(args.data, encoding="utf-8")) if s["features"]["sequence"]]
groups = sorted({s["group"] for s in samples})
random.Random(args.seed).shuffle(groups)
held_out = set(groups[:round(len(groups) * args.held_out)])
args.folder.mkdir(parents=True, exist_ok=True)
truth = {}
for name, live in (("past", False), ("live", True)):
    events = []
    for index, sample in enumerate(s for s in samples if (s["group"] in held_out) == live):
        agent, start = "%s-%04d" % (name, index), 1795341600 + 30 * index
        for step, action in enumerate(sample["features"]["sequence"]):
            event = {"agent_id": agent, "action_type": action, "timestamp": start + 5 * step}
            if live:
                truth[agent] = sample["label"]
            else:
                event.update(task=sample["group"], label=sample["label"])
            events.append(event)
    events.sort(key=lambda event: event["timestamp"])
    (args.folder / (name + ".jsonl")).write_text("".join(json.dumps(event) + "\n" for event in events))
(args.folder / "truth.json").write_text(json.dumps(truth))
print(len(groups) - len(held_out), "groups to train on,", len(held_out), "to watch:", ", ".join(sorted(held_out)))
print(len(truth), "sessions to watch,", sum(truth.values()), "of them anomalous")
