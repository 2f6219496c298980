#!/usr/bin/env python3
"""Writes events of many agents at work, to measure the monitor with.

usage: many_events.py COUNT AGENTS [endless]

Each agent follows one of 40 habits of twelve actions, but for one action in a hundred, and acts about once a minute; with "endless"
every event is that of a new agent.
"""
import random, sys

count, agents, endless = int(sys.argv[1]), int(sys.argv[2]), len(sys.argv) > 3
rng = random.Random(5)
names = ("read process write fetch transform load query filter aggregate request authenticate respond open close connect send receive "
         "validate store analyze report list delete scan").split()
habits = [[rng.choice(names) for _ in range(12)] for _ in range(40)]
places = [agent // 40 for agent in range(agents)]
for index in range(count):
    agent = index if endless else rng.randrange(agents)
    place = places[agent % agents]
    places[agent % agents] += 1
    action = habits[agent % 40][place % 12] if rng.random() < 0.99 else rng.choice(names)
    risk, time = rng.random() * rng.random(), 1795341600 + index * 60.0 / agents
    print('{"agent_id":"agent-%06d","action_type":"%s","risk_score":%.2f,"cohort":"c%d","timestamp":%.3f}' % (agent, action, risk, agent % 10, time))
