#!/usr/bin/env python3
"""Says how good alerts were: which sessions they found, after how many actions, and how often they were false.

usage: judge_alerts.py FOLDER ALERTS.jsonl       (FOLDER as written by sessions_to_events.py)
"""
import collections, json, pathlib, statistics, sys

folder, alerts = pathlib.Path(sys.argv[1]), [json.loads(line) for line in open(sys.argv[2])]
truth = json.loads((folder / "truth.json").read_text())
times = collections.defaultdict(list)
for event in map(json.loads, open(folder / "live.jsonl")):
    times[event["agent_id"]].append(event["timestamp"])


def seconds(text):
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


anomalous = [agent for agent, label in truth.items() if label]
normal = [agent for agent, label in truth.items() if not label]
print("%-16s %8s %18s %22s  %s" % ("rule", "alerts", "found", "false alarms", "delay in actions (of session)"))
for kind in ["model", "sequence", "frequency", "behavioral"]:
    first = {}
    for alert in alerts:
        if alert["anomaly_type"] == kind:
            first.setdefault(alert["agent_id"], seconds(alert["timestamp"]))
    delays = [sum(t <= first[agent] for t in times[agent]) for agent in anomalous if agent in first]
    lengths = [len(times[agent]) for agent in anomalous if agent in first]
    found, false = len(delays), sum(agent in first for agent in normal)
    print("%-16s %8d %5d of %4d %4.1f %% %6d of %5d %4.1f %%  %s" % (
        kind, sum(a["anomaly_type"] == kind for a in alerts), found, len(anomalous), 100 * found / len(anomalous), false, len(normal),
        100 * false / len(normal), "median %g, mean %.1f (median %g)" % (statistics.median(delays), statistics.mean(delays), statistics.median(lengths)) if delays else "-"))
