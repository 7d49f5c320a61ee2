#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recorded CloudTrail events as questions, one JSON line each.

usage: cloudtrail.py EVENTS.jsonl.gz          print `{"at": T, "request": {…}}` lines
       cloudtrail.py --compare NAME=FILE…     compare answers, one JSON line each, and count them

An access key is a session (its first sight is its auth_time), the principal the subject, read_only the action, source
and event the resource. What a row lacks, the question lacks.
"""
import collections
import gzip
import ipaddress
import json
import sys


def is_address(text):
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        return False


def questions(path):
    first = {}
    for line in gzip.open(path, "rt"):
        row = json.loads(line)
        context = {"device": {"user_agent": row["user_agent"]}} if row["user_agent"] else {}
        if row["ip"] and is_address(row["ip"]):
            context["network"] = {"ip": row["ip"]}
        key = row["access_key"]
        if key:
            first.setdefault(key, row["time"])
            context["session"] = {"id": key, "auth_time": first[key]}
            if row["mfa"] == "true":
                context["session"]["amr"] = ["mfa"]
        subject = {"type": "service" if row["type"] == "AWSService" else "user"}
        if row["principal"]:
            subject["id"] = row["principal"]
        yield {"at": row["time"],
               "request": {"tenant": "cloud", "request_id": row["id"], "subject": subject,
                           "action": {"name": "read" if row["read_only"] else "write"},
                           "resource": {"type": row["source"], "id": row["event"],
                                        "properties": {"region": row["region"], "error": row["error"]}},
                           "context": context}}


def essence(answer):
    """What must be the same by every way: effect, code, rule and score."""
    context = answer.get("context", {})
    return (answer.get("decision"), context.get("effect"), context.get("code"), context.get("rule"),
            context.get("risk", {}).get("score"), context.get("risk", {}).get("level"))


def explained(answer):
    context = answer.get("context", {})
    return bool(context.get("code")) and bool(context.get("reason") or context.get("error"))


def compare(arguments):
    runs = {}
    for argument in arguments:
        name, path = argument.split("=", 1)
        runs[name] = [json.loads(line) for line in open(path)]
    failed = 0
    names = list(runs)
    for name in names:
        answers = runs[name]
        unexplained = sum(not explained(a) for a in answers)
        effects = collections.Counter(a.get("context", {}).get("effect") for a in answers)
        codes = collections.Counter(a.get("context", {}).get("code") for a in answers)
        print(f"{name}: {len(answers)} answers, {unexplained} unexplained, {dict(effects)}, {dict(codes)}")
        failed += unexplained + abs(len(answers) - 2900)
        different = [i for i, (a, b) in enumerate(zip(runs[names[0]], answers)) if essence(a) != essence(b)]
        if different:
            i = different[0]
            print(f"  {len(different)} differ from {names[0]}, first at {i + 1}:")
            print(f"    {essence(runs[names[0]][i])}\n    {essence(answers[i])}")
            failed += len(different)
        malformed = codes.get("malformed", 0)
        if malformed != 77:
            print(f"  {malformed} malformed, expected 77: rows without a principal")
            failed += 1
    return failed


if __name__ == "__main__":
    if sys.argv[1] == "--compare":
        sys.exit(1 if compare(sys.argv[2:]) else 0)
    for question in questions(sys.argv[1]):
        print(json.dumps(question, separators=(",", ":")))
