#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pdpctl risk fit` and `risk report`: `risk_cli.py BIN`. Their figures are computed here a second time, from what `replay`
answers; the page is parsed, and names of strangers are nothing but text in it."""
import csv
import html.parser
import json
import math
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import xml.dom.minidom

DEADLINE_S = 60
START = 1795370000000
HOSTILE = "</title><script>alert(1)</script>\"'&\u202e<img src=x onerror=y>\x07"
POLICY = """apiVersion: pdp/v1
kind: Policy
metadata: {name: all}
rules:
  - {id: all, effect: allow}
---
apiVersion: pdp/v1
kind: SessionPolicy
metadata: {name: all}
first_sight: adopt
limits: {idle: 100h, absolute: 200h}
"""
MODEL = """apiVersion: pdp/v1
kind: RiskModel
metadata: {name: risk}
signals: {external: {evidence: 6}, tool-agent: {on_missing: skip}}
calibration: {a: %s, b: %s}
"""
checks = failures = 0


def check(condition, what):
    global checks, failures
    checks += 1
    if not condition:
        failures += 1
        print(f"FAIL: {what}")


# ---- A recording of which the truth is known ------------------------------------------------------------------------


def question(at, session, user, explain="full", **more):
    return {"at": at, "request": {"tenant": "t", "request_id": f"r{at}-{session}", "explain": explain, "action": {"name": "GET"},
                                  "subject": {"type": "user", "id": user}, "resource": {"type": "route", "id": "/"},
                                  "context": {"session": {"id": session}}, **more}}


def finding(at, session, user, evidence):
    return {"at": at, "event": {"type": "signal", "subject": {"type": "user", "id": user}, "properties": {"evidence": evidence},
                                "context": {"session": {"id": session}}}, "tenant": "t", "request_id": f"e{at}-{session}"}


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def recording(folder, sessions=700):
    """Lines of events, and the numbers and ids of the labelled ones with their truth."""
    rnd, lines, labels = random.Random(7), [], []
    for n in range(sessions):
        user, at = (HOSTILE if n == 3 else f"u{n % 200}"), START + n * 1000
        evidence = 6 if n == 3 else rnd.choice((-2, 0, 0, rnd.uniform(0, 6)))
        lines += [question(at, f"s{n}", user, "brief"), finding(at + 1, f"s{n}", user, evidence)]
        lines.append(question(at + 2, f"s{n}", user))
        labels.append((len(lines), f"r{at + 2}-s{n}", int(rnd.random() < sigmoid(0.7 * (evidence - 3.4) + 0.5))))
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "by-line.jsonl").write_text("".join(json.dumps({"line": line, "label": truth, "of": "login"}) + "\n"
                                                  for line, _, truth in labels))
    with open(folder / "by-id.csv", "w", newline="") as file:
        csv.writer(file).writerows([("request_id", "why", "label"), *((name, 'so, "they" say', truth) for _, name, truth in labels)])
    return lines, labels


# ---- The same figures by other means --------------------------------------------------------------------------------


def platt(points):
    """Newton's method on Platt's smoothed targets."""
    attacks = sum(truth for _, truth in points)
    yes, no = (attacks + 1) / (attacks + 2), 1 / (len(points) - attacks + 2)
    a = b = 0.0
    for _ in range(60):
        ga = gb = haa = hab = hbb = 0.0
        for x, truth in points:
            p = sigmoid(a * x + b)
            miss, curve = p - (yes if truth else no), p * (1 - p)
            ga, gb = ga + miss * x, gb + miss
            haa, hab, hbb = haa + curve * x * x, hab + curve * x, hbb + curve
        det = haa * hbb - hab * hab
        a, b = a - (hbb * ga - hab * gb) / det, b - (haa * gb - hab * ga) / det
    return a, b


def losses(points):
    """Calibration error over ten bins, log loss, Brier score."""
    gap = 0.0
    for k in range(10):
        bin_ = [(p, truth) for p, truth in points if min(9, int(p * 10)) == k]
        gap += abs(sum(p for p, _ in bin_) - sum(truth for _, truth in bin_))
    return (gap / len(points), sum(-math.log(p if truth else 1 - p) for p, truth in points) / len(points),
            sum((p - truth) ** 2 for p, truth in points) / len(points))


def area(points):
    attacks, others = [x for x, truth in points if truth], [x for x, truth in points if not truth]
    return sum((a > o) + (a == o) / 2 for a in attacks for o in others) / len(attacks) / len(others)


class Program:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder

    def run(self, *args, stdin=None):
        return subprocess.run([self.binary / "pdpctl", *args], capture_output=True, cwd=self.folder, timeout=DEADLINE_S,
                              input=stdin)

    def risk(self, what, *args, policies="policies", events="events.jsonl"):
        return self.run("risk", what, "--policies", policies, "--events", events, *args)

    def answers(self):
        said = self.run("replay", "--policies", "policies", "--events", "events.jsonl")
        return [json.loads(line) for line in said.stdout.decode().splitlines()]


def near(a, b, what, by=1e-9):
    check(abs(a - b) <= by, f"{what}: {a} and {b}")


def fits_as_computed(program, answers, labels):
    scored = [(answers[line - 1]["context"]["risk"], truth) for line, _, truth in labels]
    a, b = platt([(risk["log_odds"], truth) for risk, truth in scored])
    said = program.risk("fit", "--labels", "by-line.jsonl", "--json")
    check(said.returncode == 0 and not said.stderr, said.stderr)
    fit = json.loads(said.stdout)
    near(fit["calibration"]["a"], round(a, 4), "a", 1.01e-4)
    near(fit["calibration"]["b"], round(b, 4), "b", 1.01e-4)
    check(fit["notes"] == [] and fit["was"] == {"a": 1.0, "b": 0.0}, f"notes {fit['notes']}, was {fit['was']}")
    a, b = fit["calibration"]["a"], fit["calibration"]["b"]
    for when, points in (("before", [(risk["score"] / 100, truth) for risk, truth in scored]),
                         ("after", [(sigmoid(a * risk["log_odds"] + b), truth) for risk, truth in scored])):
        for key, figure in zip(("calibration_error", "log_loss", "brier"), losses(points)):
            near(fit[when][key], figure, f"{when} {key}")
    check(fit["after"]["log_loss"] < fit["before"]["log_loss"] and fit["after"]["calibration_error"] < 0.05, "it is better")
    check(program.risk("fit", "--labels", "by-id.csv", "--json").stdout == said.stdout, "labels by id say the same")
    text = program.risk("fit", "--labels", "by-line.jsonl").stdout.decode()
    check(f"\ncalibration: {{a: {a:.4f}, b: {b:.4f}}}\n" in text, f"the line to paste: {text}")
    return a, b


def the_pasted_pair_is_right(program, pair):
    """With the pair in the model, there is nothing left to fit, and scores are what was promised."""
    (program.folder / "fitted").mkdir()
    (program.folder / "fitted/all.yaml").write_text(POLICY + "---\n" + MODEL % pair)
    again = json.loads(program.risk("fit", "--labels", "by-line.jsonl", "--json", policies="fitted").stdout)
    near(again["calibration"]["a"], pair[0], "a, fitted to log-odds again", 1e-4)
    near(again["was"]["a"], pair[0], "a, as it was pasted", 1e-4)
    near(again["was"]["b"], pair[1], "b, as it was pasted", 1e-4)
    for key in ("calibration_error", "log_loss", "brier"):
        near(again["before"][key], again["after"][key], f"{key} of the pasted pair", 1e-12)


def reports_as_counted(program, answers, labels):
    said = program.risk("report", "--labels", "by-line.jsonl", "--json")
    check(said.returncode == 0 and not said.stderr, said.stderr)
    report = json.loads(said.stdout)
    asked = [json.loads(line)["request"] for line in (program.folder / "events.jsonl").read_text().splitlines()
             if "request" in json.loads(line)]
    scored = [answer["context"] for answer in answers if "context" in answer]
    scores = [context["risk"]["score"] for context in scored]
    check(report["questions"] == len(scores) and report["sessions"] == 700 and report["users"] == 201,
          f"{report['questions']} of {report['sessions']}, {report['users']}")
    check(report["scores"] == [sum(min(19, int(s // 5)) == k for s in scores) for k in range(20)], report["scores"])
    truth = {line: t for line, _, t in labels}
    labelled = [(answers[line - 1]["context"]["risk"]["score"], t) for line, t in truth.items()]
    near(report["auc"], area(labelled), "auc")
    for row in report["thresholds"]:
        limit = row["threshold"]
        over = [c for c in scored if c["risk"]["score"] >= limit]
        near(row["questions"], len(over) / len(scored), f"questions at {limit}")
        near(row["sessions"], len({c["session"]["ref"] for c in over}) / 700, f"sessions at {limit}")
        users = {q["subject"]["id"] for q, c in zip(asked, scored) if c["risk"]["score"] >= limit}
        near(row["users"], len(users) / 201, f"users at {limit}")
        for kind, key in ((1, "attacks"), (0, "others")):
            of = [s for s, t in labelled if t == kind]
            near(row[key], sum(s >= limit for s in of) / len(of), f"{key} at {limit}")
    for budget in report["budgets"]:
        for key, of in (("of_questions", "questions"), ("of_sessions", "sessions")):
            check(key not in budget or budget[key][of] <= budget["budget"], f"{key} {budget}")
    (outside,) = (s for s in report["signals"] if s["id"] == "external")
    spoke = [s["evidence"] for c in scored for s in c["risk"]["signals"] if s["id"] == "external"]
    check(outside["questions"] == len(spoke), f"{outside}")
    near(outside["mean_evidence"], sum(spoke) / len(spoke), "mean evidence")
    text = program.risk("report").stdout.decode()
    check("ATTACKS" not in text and "\x07" not in text and "\u202e" not in text and "external" in text, text)


# ---- The page -------------------------------------------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.values, self.text = set(), [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.values += [(tag, *pair) for pair in attrs]

    def handle_data(self, data):
        self.text += data


def the_page_stands_alone(program):
    said = program.risk("report", "--labels", "by-line.jsonl", "--html", "report.html")
    check(said.returncode == 0, said.stderr)
    text = (program.folder / "report.html").read_text()
    document = xml.dom.minidom.parseString(text.encode())
    page = Page()
    page.feed(text)
    check(not page.tags & {"script", "img", "link", "iframe", "object", "embed", "a", "image", "use"}, f"{page.tags}")
    for tag, name, value in page.values:
        check(name not in ("src", "href", "xlink:href", "action", "style") and not name.startswith("on"), f"{tag} {name}={value}")
    check(not re.search(r"url\(|@import|expression\(", text), "nothing is fetched by the style")
    outside = set(re.findall(r"https?://[^\s\"'<]+", text))
    check(outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}, f"addresses: {outside}")
    check("default-src 'none'" in text and "prefers-color-scheme: dark" in text, "policy and dark")
    shown = HOSTILE.replace("\u202e", "\ufffd").replace("\x07", "\ufffd")
    check(shown in page.text, "the hostile name is text")
    check("\u202e" not in text and "\x07" not in text, "what would turn the text is gone")
    pictures = [svg for svg in document.getElementsByTagName("svg") if svg.getAttribute("role") == "img"]
    check(len(pictures) == 4, f"{len(pictures)} plots")
    for svg in pictures:
        names = svg.getAttribute("aria-labelledby").split()
        told = {e.getAttribute("id"): e.firstChild.data for tag in ("title", "desc") for e in svg.getElementsByTagName(tag)
                if e.getAttribute("id")}
        check(len(names) == 2 and all(told.get(name) for name in names), f"a plot tells what it is: {told}")
        section = svg.parentNode.parentNode
        check(len(section.getElementsByTagName("table")) >= 1, f"a table beside {names}")
    ids = [e.getAttribute("id") for e in document.getElementsByTagName("*") if e.getAttribute("id")]
    check(len(ids) == len(set(ids)), "ids are given once")
    numbers = re.findall(r'(?:x|y|x1|x2|y1|y2|width|height|cx|cy|r|points)="([^"]*)"', text)
    check(numbers and not any(re.search(r"nan|inf", n) for n in numbers), "places are numbers")
    check(program.risk("report", "--html", "no/such/report.html").returncode == 2, "a page that cannot be written")
    (program.folder / "one.jsonl").write_text(json.dumps(question(START, "s", "u")) + "\n")
    check(program.risk("report", "--html", "one.html", events="one.jsonl").returncode == 0, "one question is a report")
    xml.dom.minidom.parse(str(program.folder / "one.html"))


# ---- What cannot be ------------------------------------------------------------------------------------------------


def refusals(program, labels):
    def bad(words, *args, code=2, what="fit", **more):
        said = program.risk(what, *args, **more)
        check(said.returncode == code and words in said.stderr.decode(), f"{args}: {said.returncode} {said.stderr.decode()}")

    def file(name, text):
        (program.folder / name).write_text(text)
        return name

    bad("`--labels FILE` is missing")
    bad("`nowhere` cannot be read", "--labels", "nowhere")
    bad("2 mistakes", "--labels", file("bad.csv", "line,label\n3,maybe\n6,1\n0,1\n"))
    bad("bad.csv:2:1: error: `maybe` is no label", "--labels", "bad.csv")
    bad("no label fits a question", "--labels", file("none.csv", "line,label\n99999,1\n2,0\n"))
    bad("are no attacks", "--labels", file("zeros.csv", "line,label\n" + "".join(f"{n},0\n" for n, _, _ in labels)))
    bad("are attacks", "--labels", file("ones.csv", "line,label\n" + "".join(f"{n},1\n" for n, _, _ in labels)))
    bad("the same log-odds", "--labels", file("same.csv", "line,label\n1,1\n4,0\n"))
    bad("attacks do not score higher", "--labels",
        file("round.csv", "line,label\n" + "".join(f"{n},{1 - t}\n" for n, _, t in labels)), code=0)
    bad("fewer than 50 attacks", "--labels",
        file("few.csv", "line,label\n" + "".join(f"{n},{t}\n" for n, _, t in labels[:40])), code=0)
    bad("2 of 3 labels fit no question", "--labels", file("left.csv", "line,label\n3,1\n2,0\n99999,0\n"), what="report", code=0)
    bad("a labelled `request_id` that one before them had", "--labels", file("id.csv", f"request_id,label\n{labels[0][1]},1\n"),
        what="report", code=0, events=file("twice.jsonl", "".join(json.dumps(
            {**question(START + n, f"s{n}", "u"), "request": {**question(START + n, f"s{n}", "u")["request"],
                                                              "request_id": labels[0][1]}}) + "\n" for n in range(2))))
    bad("holds no line", what="report", events=file("empty.jsonl", "\n"))
    bad("no question of `nothing.jsonl` was scored", what="report", events=file("nothing.jsonl", "{}\n"))
    bad("the first is line 2", what="report", code=0,
        events=file("torn.jsonl", json.dumps(question(START, "s", "u")) + "\n{\"at\": 1}\n"))
    said = program.run("risk", "report", "--events", "events.jsonl")
    check(said.returncode == 2 and b"one of `--policies DIR` and `--connect URL`" in said.stderr, said.stderr)


def every_mistake_of_labels(program):
    """tests/cases/labels: what is said of each file, word for word. PDP_ACCEPT=1 writes it anew."""
    cases = pathlib.Path(__file__).resolve().parent.parent / "cases/labels"
    for case in sorted(cases.iterdir()):
        (program.folder / "labels").write_bytes((case / "labels").read_bytes())
        said = program.risk("fit", "--labels", "labels")
        check(said.returncode == 2 and not said.stdout, f"{case.name} is refused")
        if os.environ.get("PDP_ACCEPT"):
            (case / "expected.txt").write_bytes(said.stderr)
        check(said.stderr == (case / "expected.txt").read_bytes(), f"{case.name}:\n{said.stderr.decode()}")


def a_batch_counts_each(program):
    one = question(START, "s", "u")["request"]
    items = [{"request_id": f"i{n}", "resource": {"type": "route", "id": f"/{n}"}, "explain": "brief"} for n in range(3)]
    batch = {"at": START, "request": {**{k: v for k, v in one.items() if k not in ("request_id", "resource")}, "evaluations": items}}
    (program.folder / "batch.jsonl").write_text(json.dumps(batch) + "\n" + json.dumps(question(START + 9, "s", "v")) + "\n")
    (program.folder / "batch.csv").write_text("request_id,label\ni0,0\ni2,1\n")
    said = program.risk("report", "--json", "--labels", "batch.csv", events="batch.jsonl")
    check(said.returncode == 0, said.stderr)
    report = json.loads(said.stdout or "{}")
    check(report.get("questions") == 3 and report["attacks"] == 1 and report["others"] == 1, f"{report} {said.stderr}")


def a_daemon_says_the_same(program):
    folder = program.folder
    local = [program.risk(*what).stdout for what in (("fit", "--labels", "by-line.jsonl"), ("report", "--json"))]
    for remote, what in zip(local, (("fit", "--labels", "by-line.jsonl"), ("report", "--json"))):
        daemon = subprocess.Popen([program.binary / "pdpd", "--policies", folder / "policies", "--workers", "1", "--decide",
                                   f"ipc://{folder}/decide.ipc", "--simulate"], stderr=subprocess.PIPE, text=True)
        while "event=ready" not in daemon.stderr.readline():
            check(daemon.poll() is None, "pdpd runs")
        said = program.run("risk", *what, "--connect", f"ipc://{folder}/decide.ipc", "--events", "events.jsonl")
        check(said.stdout == remote, f"{what} over a daemon: {said.stderr.decode()}")
        one = json.dumps(question(START, "s", "u", "brief")["request"]).encode()
        said = program.run("decide", "--full", "--json", "--connect", f"ipc://{folder}/decide.ipc", stdin=one)
        check(b'"log_odds"' in said.stdout, f"`decide --full`: {said.stdout} {said.stderr}")
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=DEADLINE_S)
    said = program.run("risk", "report", "--connect", f"ipc://{folder}/nobody.ipc", "--events", "events.jsonl", "--deadline", "300")
    check(said.returncode == 2 and b"no answer" in said.stderr, said.stderr)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        program = Program(pathlib.Path(sys.argv[1]).resolve(), folder)
        (folder / "policies").mkdir()
        (folder / "policies/all.yaml").write_text(POLICY + "---\n" + MODEL % (1, 0))
        _, labels = recording(folder)
        brief = (folder / "events.jsonl").read_text()
        (folder / "events.jsonl").write_text(brief.replace('"explain": "brief"', '"explain": "full"'))
        answers = program.answers()
        (folder / "events.jsonl").write_text(brief)
        for batch in ((), ("--batch", "9")):
            said = program.run("replay", "--full", "--policies", "policies", "--events", "events.jsonl", *batch).stdout.decode()
            check([json.loads(line) for line in said.splitlines()] == answers, f"`replay --full {batch}` asks for full answers")
        pair = fits_as_computed(program, answers, labels)
        the_pasted_pair_is_right(program, pair)
        reports_as_counted(program, answers, labels)
        the_page_stands_alone(program)
        refusals(program, labels)
        every_mistake_of_labels(program)
        a_batch_counts_each(program)
        a_daemon_says_the_same(program)
    print(f"{checks} checks, {failures} failed")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
