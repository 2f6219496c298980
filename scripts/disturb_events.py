#!/usr/bin/env python3
"""Disturbs a log of events as clocks, networks and floods do, to see what that does to its alerts.

usage: disturb_events.py KIND [SEED] < live.jsonl > disturbed.jsonl

KIND  future   every tenth event, at random, is dated a year ahead
      late     events come up to a second late
      hosts    every other event is from a host "B" whose clock is ten minutes slow
      agents   half of the agents are ten minutes slow
      flood    100,000 new agents with one action each come among them
"""
import json, random, sys

kind, rng = sys.argv[1], random.Random(int((sys.argv[2:] or ["0"])[0]))
events = [json.loads(line) for line in sys.stdin]
if kind == "future":
    for event in events:
        event["timestamp"] += 31536000 * (rng.random() < 0.1)
elif kind == "late":
    events.sort(key=lambda event: event["timestamp"] + rng.random())
elif kind == "hosts":
    for index, event in enumerate(events):
        event.update(host="AB"[index % 2], timestamp=event["timestamp"] - 600 * (index % 2))
elif kind == "agents":
    slow = {agent for agent in sorted({event["agent_id"] for event in events}) if rng.random() < 0.5}
    for event in events:
        event["timestamp"] -= 600 * (event["agent_id"] in slow)
elif kind == "flood":
    each, calm, events = 100000 // len(events) + 1, events, []
    for number, event in enumerate(calm):
        new = [{"agent_id": "new-%d-%d" % (number, i), "action_type": "read_file", "timestamp": event["timestamp"]} for i in range(each)]
        events += [event] + new
else:
    sys.exit(__doc__)
for event in events:
    print(json.dumps(event))
