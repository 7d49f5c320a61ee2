# SPDX-License-Identifier: Apache-2.0
"""Asks `pdpctl replay` line by line, so that who is asked to prove who they are can do so, and a thief cannot."""
import json
import pathlib
import re
import shutil
import subprocess

import lines
import people

KEEPS = ("hosting", "vpn", "tor", "relay", "satellite")


def policies(world, folder, extra=()):
    """The bench's documents and lists of the world's networks, and what is laid over them (a RiskModel to try)."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file in [*sorted((pathlib.Path(__file__).parent / "policy").glob("*.yaml")), *extra]:
        shutil.copy(file, folder)
    texts = []
    for kind in KEEPS:
        (folder / f"{kind}.txt").write_text("\n".join(world.lists(kind)) + "\n")
        texts.append(f"apiVersion: pdp/v1\nkind: List\nmetadata: {{name: {kind}}}\ntype: cidr\nfile: {kind}.txt\n")
    (folder / "lists.yaml").write_text("---\n".join(texts))
    return folder


def databases(world, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["perl", pathlib.Path(__file__).parent / "mmdb.pl", folder], input="\n".join(world.tell()) + "\n",
                   text=True, check=True)
    return [folder / f"{name}.mmdb" for name in ("city", "asn", "anonymous")]


class Pdpctl:
    """One process that answers a line with a line."""
    SCORE = re.compile(rb'"risk":\{"score":([0-9.e+-]+)')
    EFFECT = re.compile(rb'"effect":"([a-z_]+)"')

    def __init__(self, program, policies, geo, keep=None, connect=None):
        whom = ["--connect", connect] if connect else ["--policies", policies, *(w for file in geo for w in ("--geo", file))]
        self.process = subprocess.Popen([program, "replay", *whom, "--events", "-"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.keep = open(keep, "w") if keep else None
        self.asked = 0

    def ask(self, line):
        self.asked += 1
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        if self.keep:
            self.keep.write(line + "\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"pdpctl replay ended with {self.process.wait()} at: {line}")
        return answer

    def judge(self, line):
        """(score, effect, signal named first) of a question."""
        answer = self.ask(line)
        score, effect = self.SCORE.search(answer), self.EFFECT.search(answer)
        if not score or not effect:
            raise RuntimeError(f"no score in {answer!r} to {line}")
        return float(score.group(1)), effect.group(1).decode(), answer

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        if self.keep:
            self.keep.close()
        if self.process.wait() != 0:
            raise RuntimeError(f"pdpctl replay ended with {self.process.returncode}")


def first_signal(answer):
    signals = json.loads(answer)["context"]["risk"]["signals"]
    return max(signals, key=lambda signal: signal["evidence"])["id"] if signals else ""


class Watched:
    """What became of one session."""
    __slots__ = ("session", "scores", "labels", "challenged", "ended", "found_after", "found_s", "signal", "thief_scores")

    def __init__(self, session):
        self.session, self.scores, self.labels = session, [], []
        self.challenged, self.ended = 0, False            # of the owner's, before any thief
        self.found_after = self.found_s = None            # requests and seconds from the first of a thief
        self.signal, self.thief_scores = "", []


class Results:
    def __init__(self):
        self.logins, self.sessions, self.poisons_taken, self.poisons = [], [], 0, 0


class Run:
    """A plan, asked from begin to end."""

    def __init__(self, ctl):
        self.ctl, self.out, self.number, self.open = ctl, Results(), 0, {}

    def _n(self):
        self.number += 1
        return self.number

    def attempt(self, at, step, attempt):
        a = attempt
        score, effect, answer = self.ctl.judge(lines.probe(at, self._n(), a.user.name, f"l{step}", a.context))
        signal = first_signal(answer) if a.attacker else ""
        self.out.logins.append((at, a, score, signal, effect))

    def enter(self, at, step, attempt, owner):
        """A login that takes place. True where the first question after it was let through, at once or after a proof."""
        a, session = attempt, f"l{step}"
        self.ctl.ask(lines.login(at, self._n(), a.user.name, session, a.context))
        return self.pass_or_prove(at + 1, a.user.name, session, a.context, at // 1000, owner)[0]

    def pass_or_prove(self, at, user, session, context, auth_s, owner):
        score, effect, answer = self.ctl.judge(lines.question(at, self._n(), user, session, context, auth_s))
        first = (score, effect, answer)
        if effect == "step_up" and owner:
            self.ctl.ask(lines.proved(at + 1, self._n(), user, session, context))
            effect = self.ctl.judge(lines.question(at + 2, self._n(), user, session, context, auth_s))[1]
        return effect == "allow", *first

    def request(self, session, k):
        seen = self.open.get(id(session))
        if seen is None or seen.ended or seen.found_after is not None:
            return
        at, context, thief, behind = session.requests[k]
        passed, score, effect, answer = self.pass_or_prove(at - behind, session.user.name, lines.name_of(session),
                                                           context, session.begin // 1000, not thief)
        seen.scores.append(score)
        seen.labels.append(thief)
        if thief:
            seen.thief_scores.append(score)
            if effect != "allow":
                seen.found_after, seen.found_s = len(seen.thief_scores), (at - session.hijacked_at) / 1000
                seen.signal = first_signal(answer)
        elif session.hijacked_at is None or at < session.hijacked_at:
            seen.challenged += effect == "step_up"
            seen.ended = effect in ("terminate", "deny")
        else:
            seen.ended = effect in ("terminate", "deny")

    def play(self, plan, say=lambda done, all: None):
        for done, (at, step, what, *who) in enumerate(plan.steps):
            if done % 50_000 == 0:
                say(done, len(plan.steps))
            if what == "login":
                if at >= people.START + people.WARM_UP_DAYS * people.DAY and not who[0].tainted:
                    self.attempt(at, step, who[0])
                self.enter(at, step, who[0], True)
            elif what == "break-in":
                self.attempt(at, step, who[0])
            elif what == "poison":
                self.out.poisons += 1
                self.out.poisons_taken += self.enter(at, step, who[0], False)
            elif what == "begin":
                session = who[0]
                self.ctl.ask(lines.login(at, self._n(), session.user.name, lines.name_of(session), session.requests[0][1]))
                watched = Watched(session)
                self.open[id(session)] = watched
                self.out.sessions.append(watched)
            else:
                self.request(*who)
        return self.out
