#!/usr/bin/env python3
"""Writes a stream of innocent agents who do not change, at a pace, with risk scores and cohorts that the seed draws.

usage: innocent_events.py SEED > events.jsonl      (1,000 to 100,000 events)
"""
import math, random, sys

rng = random.Random(int(sys.argv[1]))
flows = [flow.split() for flow in ("read process write", "fetch transform load", "query filter aggregate", "request authenticate respond",
                                   "open read close", "connect send receive", "validate process store", "load analyze report")]
count = int(math.exp(rng.uniform(math.log(1000), math.log(100000))))
agents, cohorts = rng.choice([5, 20, 100, 1000]), rng.choice([1, 3, 10])
pace = rng.choice([0.05, 0.2, 1, 5, 30])
shape = rng.choice([(1, 1), (2, 8), (8, 2), (0.5, 0.5)])
todo, time = [[] for _ in range(agents)], 1795341600.0
for _ in range(count):
    agent = rng.randrange(agents)
    if not todo[agent]:
        todo[agent] = list(rng.choice(flows)) + rng.sample(["read", "write", "process", "validate"], rng.random() < 0.3)
    time += rng.expovariate(1 / pace)
    print('{"agent_id":"g%d","action_type":"%s","risk_score":%.3f,"cohort":"c%d","timestamp":%.3f}' % (
        agent, todo[agent].pop(0), rng.betavariate(*shape), agent % cohorts, time))
