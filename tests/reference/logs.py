#!/usr/bin/env python3
"""Logs of every format, and the sessions that an independent conversion makes of them.

usage: logs.py make     writes to examples/ a log of 240 sessions of each kind, and to tests/reference/sessions/ the sessions in each

A few sessions have four actions in them that stand in no other; nobody says which, but in the table of events.
"""
import collections, datetime, gzip, json, pathlib, random, sys

ROOT = pathlib.Path(__file__).parents[2]
SESSIONS = 240
START = 1_795_341_600
NORMAL = [["list", "read", "summarise"], ["search", "read", "write", "test"], ["fetch", "parse", "store"]]
ODD = ["read_secret", "pack", "send", "delete"]
GAP = 30 * 60


def sessions(seed, odd=0.015):
    """For each session its number, agent, actions, and for each action its time in nanoseconds and whether it failed."""
    draw = random.Random(seed)
    for number in range(SESSIONS):
        actions = [action for _ in range(draw.randint(1, 3)) for action in draw.choice(NORMAL)]
        if draw.random() < odd:
            at = draw.randrange(len(actions))
            actions[at:at] = ODD
        time = (START + 3600 * number) * 10**9
        steps = []
        for action in actions:
            time += draw.randrange(1, 10**10)
            steps.append((action, time, draw.random() < 0.05))
        yield number, f"agent-{number % 7}", steps


def iso(nanos, digits=6):
    whole = datetime.datetime.fromtimestamp(nanos // 10**9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{nanos % 10**9 // 10 ** (9 - digits):0{digits}d}Z" if digits else whole + "Z"


def line(value):
    return json.dumps(value, separators=(",", ":")) + "\n"


def attributes(members):
    return [{"key": key, "value": {"stringValue": value}} for key, value in members.items()]


# Logs, written as their sources write them.


def make_otlp(draw):
    """One document a line, each with the spans of two sessions as they ended, the longest last; the documents come in pairs the wrong
    way round."""
    lines, spans = [], []
    for number, agent, steps in sessions(1):
        trace = f"{number:032x}"
        spans.append({"traceId": trace, "spanId": f"{number:08x}ffffffff", "name": "invoke_agent", "startTimeUnixNano": str(steps[0][1]), "attributes": attributes({"gen_ai.operation.name": "invoke_agent"})})
        for place, (action, time, _) in enumerate(steps):
            members = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": action, "gen_ai.conversation.id": f"conv-{number}"}
            if number % 2:
                members["gen_ai.agent.id"] = agent
            spans.append({"traceId": trace, "spanId": f"{number:08x}{place:08x}", "name": "execute_tool " + action, "startTimeUnixNano": str(time), "attributes": attributes(members)})
        if number % 2:
            spans.sort(key=lambda span: (span["name"] == "invoke_agent", int(span["startTimeUnixNano"])))
            lines.append(line({"resourceSpans": [{"resource": {"attributes": attributes({"service.name": "bot"})}, "scopeSpans": [{"scope": {"name": "x"}, "spans": spans}]}]}))
            spans = []
    return "".join(lines[place ^ 1] for place in range(len(lines)))


def make_spans(draw):
    """Spans a line, as the console exporter of Python writes them."""
    text = ""
    for number, _, steps in sessions(2):
        for place, (action, time, _) in enumerate(steps):
            text += line({"name": "execute_tool " + action, "context": {"trace_id": f"0x{number:032x}", "span_id": f"0x{place:016x}"}, "start_time": iso(time), "attributes": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": action}})
    return text


def make_openai(draw):
    text = ""
    for number, _, steps in sessions(3):
        messages = [{"role": "user", "content": "do it"}]
        for place, (action, _, _) in enumerate(steps):
            call = {"id": f"call_{number}_{place}", "type": "function", "function": {"name": action, "arguments": '{"x":"\\"}"}'}}
            if place % 3 == 1 and messages[-2].get("tool_calls"):
                messages[-2]["tool_calls"].append(call)
            else:
                messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": "ok"})
        text += line({"id": f"chat-{number}", "messages": messages})
    return text


def make_anthropic(draw):
    """All conversations in one array, with blanks in it."""
    conversations = []
    for number, _, steps in sessions(4):
        messages = [{"role": "user", "content": "do it"}]
        for place, (action, _, _) in enumerate(steps):
            messages.append({"role": "assistant", "content": [{"type": "text", "text": "ok"}, {"type": "tool_use", "id": f"t{number}_{place}", "name": action, "input": {"name": "not a tool"}}]})
            messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{number}_{place}", "content": "x"}]})
        conversations.append({"session_id": f"s{number}", "messages": messages})
    return json.dumps(conversations, indent=1) + "\n"


def make_transcript(draw):
    text = ""
    for number, _, steps in sessions(5):
        parent = {False: None, True: None}
        for place, (action, time, odd) in enumerate(steps):
            side = place % 4 == 3
            uuid = f"{number}-{place}"
            text += line({"parentUuid": parent[side], "isSidechain": side, "type": "assistant", "sessionId": f"s-{number}", "uuid": uuid, "timestamp": iso(time, 3), "message": {"role": "assistant", "content": [{"type": "tool_use", "id": f"t{uuid}", "name": action, "input": {}}]}})
            parent[side] = uuid
        text += line({"type": "summary", "summary": "done", "leafUuid": parent[False]})
    return text


def make_cloudtrail(draw):
    records = []
    for number, agent, steps in sessions(6):
        for action, time, failed in steps:
            record = {"eventVersion": "1.10", "userIdentity": {"type": "AssumedRole", "arn": f"arn:aws:sts::1:assumed-role/App/{agent}", "sessionContext": {"attributes": {"mfaAuthenticated": "false"}}}, "eventTime": iso(time, 0), "eventSource": "s3.amazonaws.com", "eventName": action, "requestParameters": None, "eventID": f"{len(records):032x}"}
            if failed:
                record["errorCode"] = "AccessDenied"
            records.append(record)
            if draw.random() < 0.02:
                records.append(record)
    return json.dumps({"Records": records})


def make_auditd(draw):
    calls = {"list": 217, "read": 0, "summarise": 262, "search": 4, "write": 1, "test": 21, "fetch": 45, "parse": 9, "store": 18, "read_secret": 257, "pack": 275, "send": 44, "delete": 87}
    names = {217: "getdents64", 0: "read", 262: "newfstatat", 4: "stat", 1: "write", 21: "access", 45: "recvfrom", 9: "mmap", 18: "pwrite64", 257: "openat", 275: "splice", 44: "sendto", 87: "unlink"}
    text, serial = "", 0
    for number, agent, steps in sessions(7):
        for action, time, failed in steps:
            serial += 1
            stamp = f"audit({time // 10**9}.{time % 10**9 // 10**6:03d}:{serial})"
            enriched = f'\x1dARCH=x86_64 SYSCALL={names[calls[action]]} AUID="{agent}"' if number % 2 else ""
            text += f'type=SYSCALL msg={stamp}: arch=c000003e syscall={calls[action]} success={"no" if failed else "yes"} exit=0 ppid=1 pid={1000 + number} auid={500 + number % 7} uid=0 ses={number + 1} comm="a b" exe="/x"{enriched}\n'
            text += f'type=CWD msg={stamp}: cwd="/home"\n'
    return text


def make_csv(draw):
    text = 'timestamp,"agent_id",action_type,note,label\n'
    for number, agent, steps in sessions(8, odd=0.3):
        for place, (action, time, failed) in enumerate(steps):
            text += f'{time // 10**6},{agent},{action},"a, ""b""\nc",{int(action in ODD[:2])}\n'
    return text


def make_ocsf(draw):
    text = ""
    for number, agent, steps in sessions(9):
        for action, time, _ in steps:
            text += line({"class_uid": 1007, "class_name": "Process Activity", "activity_name": action, "time": time // 10**6, "severity_id": 1, "actor": {"user": {"name": agent}, "session": {"uid": f"s{number}"}}, "metadata": {"version": "1.1.0"}})
    return text


def make_windows(draw):
    text = ""
    for number, agent, steps in sessions(10):
        for action, time, _ in steps:
            system = {"Provider": {"Name": "Security"}, "EventID": 4688, "TimeCreated": {"SystemTime": iso(time, 7)}, "Computer": "host"}
            data = [{"@Name": "SubjectLogonId", "#text": f"0x{number:x}"}, {"@Name": "SubjectUserName", "#text": agent}, {"@Name": "NewProcessName", "#text": action}]
            text += line({"Event": {"System": system, "EventData": {"Data": data}}})
    return text


# The conversions: from the text of a log alone.


def grouped(events, gap=None):
    """Sessions of (key, time, action, id, label) in order; a pause longer than `gap` ends one."""
    by_key, seen = collections.OrderedDict(), set()
    for key, time, action, id, label in events:
        if id is not None and (key, id) in seen:
            continue
        seen.add((key, id))
        by_key.setdefault(key, []).append((time, action, label))
    found = []
    for key, steps in by_key.items():
        if steps[0][0] is not None:
            steps.sort(key=lambda step: step[0])
        parts, last = [], None
        for time, action, label in steps:
            if not parts or (gap is not None and time - last > gap * 10**9):
                parts.append([])
            parts[-1].append((time, action, label))
            last = time
        for part in parts:
            labels = [label for _, _, label in part if label is not None]
            found.append({"session": key, "sequence": [action for _, action, _ in part], "label": max(labels, default=None), "first": part[0][0]})
    found.sort(key=lambda session: session["first"] or 0)
    return [{key: value for key, value in session.items() if key != "first" and value is not None} for session in found]


def nanos(text):
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc).timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)


def convert_otlp(text):
    for document in map(json.loads, text.splitlines()):
        for resource in document["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    members = {member["key"]: member["value"]["stringValue"] for member in span["attributes"]}
                    if members["gen_ai.operation.name"] == "execute_tool":
                        yield members["gen_ai.conversation.id"], int(span["startTimeUnixNano"]), members["gen_ai.tool.name"], span["traceId"] + span["spanId"], None


def convert_spans(text):
    for span in map(json.loads, text.splitlines()):
        yield span["context"]["trace_id"], nanos(span["start_time"]), span["attributes"]["gen_ai.tool.name"], span["context"]["span_id"], None


def convert_openai(text):
    for conversation in map(json.loads, text.splitlines()):
        for message in conversation["messages"]:
            for call in message.get("tool_calls") or []:
                yield conversation["id"], None, call["function"]["name"], call["id"], None


def convert_anthropic(text):
    for conversation in json.loads(text):
        for message in conversation["messages"]:
            for block in message["content"] if isinstance(message["content"], list) else []:
                if block["type"] == "tool_use":
                    yield conversation["session_id"], None, block["name"], block["id"], None


def convert_transcript(text):
    chains = {}
    for entry in map(json.loads, text.splitlines()):
        if "message" not in entry:
            continue
        session = entry["sessionId"]
        if entry["isSidechain"]:
            chains[entry["uuid"]] = chains.get(entry["parentUuid"], entry["uuid"])
            session += "/" + chains[entry["uuid"]]
        for block in entry["message"]["content"]:
            yield session, nanos(entry["timestamp"]), block["name"], block["id"], None


def convert_cloudtrail(text):
    for record in json.loads(text)["Records"]:
        action = record["eventSource"] + ":" + record["eventName"] + ("!failed" if "errorCode" in record else "")
        yield record["userIdentity"]["arn"], nanos(record["eventTime"]), action, record["eventID"], None


def convert_auditd(text):
    names = {217: "getdents64", 0: "read", 262: "newfstatat", 4: "stat", 1: "write", 21: "access", 45: "recvfrom", 9: "mmap", 18: "pwrite64", 257: "openat", 275: "splice", 44: "sendto", 87: "unlink"}
    for record in text.splitlines() if "\x1d" not in text else text.split("\n"):
        if not record.startswith("type=SYSCALL"):
            continue
        stamp = record.split("audit(")[1].split(")")[0]
        members = dict(part.split("=", 1) for part in record.replace("\x1d", " ").split(" ") if "=" in part)
        seconds, millis = stamp.split(":")[0].split(".")
        failed = "!failed" if members["success"] == "no" else ""
        yield members["ses"], int(seconds) * 10**9 + int(millis) * 10**6, names[int(members["syscall"])] + failed, stamp, None


def convert_csv(text):
    import csv, io

    for row in csv.DictReader(io.StringIO(text)):
        yield row["agent_id"], int(row["timestamp"]) * 10**6, row["action_type"], None, int(row["label"])


def convert_ocsf(text):
    for event in map(json.loads, text.splitlines()):
        yield event["actor"]["session"]["uid"], event["time"] * 10**6, f"{event['class_name']}: {event['activity_name']}", None, None


def convert_windows(text):
    for event in map(json.loads, text.splitlines()):
        system, data = event["Event"]["System"], event["Event"]["EventData"]["Data"]
        data = {member["@Name"]: member["#text"] for member in data}
        yield f"{system['Computer']}/{data['SubjectLogonId']}", nanos(system["TimeCreated"]["SystemTime"]), f"{system['EventID']} {data['NewProcessName']}", None, None


def main():
    kinds = [
        ("otlp", "otlp.jsonl", None),
        ("spans", "spans.jsonl", None),
        ("openai", "openai.jsonl", None),
        ("anthropic", "anthropic.json", None),
        ("transcript", "transcript.jsonl", None),
        ("cloudtrail", "cloudtrail.json", GAP),
        ("auditd", "audit.log", None),
        ("csv", "events.csv", GAP),
        ("ocsf", "ocsf.jsonl", GAP),
        ("windows", "windows.jsonl", GAP),
    ]
    for name, log, gap in kinds:
        text = globals()["make_" + name](random.Random(name))
        found = grouped(globals()["convert_" + name](text), gap)
        for path, content in [(f"examples/{log}.gz", text), (f"tests/reference/sessions/{log}.gz", "".join(map(line, found)))]:
            with open(ROOT / path, "wb") as file:
                file.write(gzip.compress(content.encode(), mtime=0))
        print(name, len(found), "sessions", len(text), "bytes")


if sys.argv[1:] != ["make"]:
    sys.exit(__doc__)
main()
