# SPDX-License-Identifier: Apache-2.0
"""Asks `pdpctl replay` line by line, so that who is asked to prove who they are can do so, and a thief cannot."""
import fcntl
import json
import pathlib
import re
import shutil
import subprocess

import lines
import people

# What a deployment has lists of: what anybody can get, its carriers, and where its own people come out.
KEEPS = {"hosting": "hosting", "vpn": "vpn", "tor": "tor", "relay": "relay", "satellite": "satellite", "mobile": "carrier",
         "corporate": "own_egress"}


def policies(world, folder, extra=(), bare=False):
    """The bench's documents and lists of the world's networks, and what is laid over them (a RiskModel to try). Bare: the lists
    say no class of network, and databases alone tell."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file in [*sorted((pathlib.Path(__file__).parent / "policy").glob("*.yaml")), *extra]:
        shutil.copy(file, folder)
    texts = []
    for kind, network in KEEPS.items():
        ranges = list(world.lists(kind))
        if not ranges:
            continue
        (folder / f"{kind}.txt").write_text("\n".join(ranges) + "\n")
        texts.append(f"apiVersion: pdp/v1\nkind: List\nmetadata: {{name: {kind}}}\ntype: cidr\nfile: {kind}.txt\n"
                     + ("" if bare else f"network: {network}\n"))
    (folder / "lists.yaml").write_text("---\n".join(texts))
    return folder


def databases(world, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["perl", pathlib.Path(__file__).parent / "mmdb.pl", folder], input="\n".join(world.tell()) + "\n",
                   text=True, check=True)
    return [folder / f"{name}.mmdb" for name in ("city", "asn", "anonymous")]


class Pdpctl:
    """One process that answers a line with a line. Several lines are asked at once, as many as fit into its pipes."""
    SCORE = re.compile(rb'"risk":\{"score":([0-9.e+-]+)')
    EFFECT = re.compile(rb'"effect":"([a-z_]+)"')
    PIPE, SET_PIPE_SIZE, GET_PIPE_SIZE = 1 << 20, 1031, 1032  # Linux; Python 3.9 has no names for them

    def __init__(self, program, policies, geo, keep=None, connect=None):
        whom = ["--connect", connect] if connect else ["--policies", policies, *(w for file in geo for w in ("--geo", file))]
        self.process = subprocess.Popen([program, "replay", *whom, "--events", "-"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.keep = open(keep, "w") if keep else None
        self.asked = 0
        # Nobody reads an answer before all of a group is written: both must fit, and answers are up to three times as long.
        self.room = min(self._widen(self.process.stdin), self._widen(self.process.stdout)) // 4

    def _widen(self, pipe):
        try:
            fcntl.fcntl(pipe, self.SET_PIPE_SIZE, self.PIPE)
        except OSError:
            pass
        return fcntl.fcntl(pipe, self.GET_PIPE_SIZE)

    def ask_all(self, questions):
        """The answers to lines, in their order."""
        answers, at = [], 0
        while at < len(questions):
            size, end = 0, at
            while end < len(questions) and (end == at or size + len(questions[end]) < self.room):
                size += len(questions[end]) + 1
                end += 1
            answers += self._group(questions[at:end])
            at = end
        return answers

    def _group(self, questions):
        text = "\n".join(questions) + "\n"
        self.asked += len(questions)
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()
        if self.keep:
            self.keep.write(text)
        answers = [self.process.stdout.readline() for _ in questions]
        if not answers[-1]:
            raise RuntimeError(f"pdpctl replay ended with {self.process.wait()} at one of: {text}")
        return answers

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        if self.keep:
            self.keep.close()
        if self.process.wait() != 0:
            raise RuntimeError(f"pdpctl replay ended with {self.process.returncode}")


def verdict(answer):
    """(score, effect) of the answer to a question."""
    score, effect = Pdpctl.SCORE.search(answer), Pdpctl.EFFECT.search(answer)
    if not score or not effect:
        raise RuntimeError(f"no score in {answer!r}")
    return float(score.group(1)), effect.group(1).decode()


def signals(answer):
    """[(id, evidence)] of an answer, the strongest first."""
    told = json.loads(answer)["context"]["risk"]["signals"]
    return sorted(((s["id"], s["evidence"]) for s in told), key=lambda s: -s[1])


def first_signal(answer):
    told = signals(answer)
    return told[0][0] if told else ""


class Watched:
    """What became of one session."""
    __slots__ = ("session", "scores", "labels", "challenged", "ended", "found_after", "found_s", "signal", "thief_scores", "why")

    def __init__(self, session):
        self.session, self.scores, self.labels = session, [], []
        self.challenged, self.ended = 0, False            # of the owner's, before any thief
        self.found_after = self.found_s = None            # requests and seconds from the first of a thief
        self.signal, self.thief_scores = "", []
        self.why = None  # the answer with the thief's highest score; of an innocent the one that first challenged or ended it


class Results:
    def __init__(self):
        self.logins, self.sessions, self.poisons_taken, self.poisons = [], [], 0, 0


class Run:
    """A plan, asked from begin to end.

    A step is a generator of lists of lines, sent the answers to each. The steps of two minutes go out together: the first of
    each user in order of time, then what each does about the answers or does next. A user's own order is kept, and nothing
    overtakes by more than these minutes, which some clocks here are behind anyway. A group is the same whatever was
    answered, so that a run repeats itself."""
    MOST, SPAN_MS = 400, 120_000

    def __init__(self, ctl):
        self.ctl, self.out, self.number, self.open = ctl, Results(), 0, {}

    def _n(self):
        self.number += 1
        return self.number

    def together(self, steps):
        waiting = [(step, questions) for step, questions in ((step, next(step, None)) for step in steps) if questions]
        while waiting:
            answers = self.ctl.ask_all([line for _, questions in waiting for line in questions])
            still, at = [], 0
            for step, questions in waiting:
                try:
                    more = step.send(answers[at:at + len(questions)])
                    still.append((step, more))
                except StopIteration:
                    pass
                at += len(questions)
            waiting = still

    def _note(self, at, attempt, answer):
        score, effect = verdict(answer)
        self.out.logins.append((at, attempt, score, tuple(signals(answer)), effect))

    def attempt(self, at, step, attempt):
        a = attempt
        answer, = yield [lines.probe(at, self._n(), a.user.name, f"l{step}", a.context)]
        self._note(at, a, answer)

    def enter(self, at, step, attempt, measured):
        """A login that takes place, and is proved where that is asked."""
        a, session = attempt, f"l{step}"
        ask = [lines.login(at, self._n(), a.user.name, session, a.context),
               lines.question(at + 1, self._n(), a.user.name, session, a.context, at // 1000)]
        if measured:
            ask.insert(0, lines.probe(at, self._n(), a.user.name, session, a.context))
        answers = yield ask
        if measured:
            self._note(at, a, answers[0])
        if verdict(answers[-1])[1] == "step_up":
            yield self._proof(at + 1, a.user.name, session, a.context, at // 1000)

    def poison(self, at, step, attempt):
        """A poisoner logs in for good, and proves nothing."""
        a, session = attempt, f"l{step}"
        self.out.poisons += 1
        answers = yield [lines.login(at, self._n(), a.user.name, session, a.context),
                         lines.question(at + 1, self._n(), a.user.name, session, a.context, at // 1000)]
        self.out.poisons_taken += verdict(answers[-1])[1] == "allow"

    def failed(self, at, name, context):
        yield [lines.failed(at, self._n(), name, context)]

    def begin(self, session):
        self.open[id(session)] = watched = Watched(session)
        self.out.sessions.append(watched)
        yield [lines.login(session.requests[0][0], self._n(), session.user.name, lines.name_of(session), session.requests[0][1])]

    def _proof(self, at, user, session, context, auth_s):
        return [lines.proved(at + 1, self._n(), user, session, context),
                lines.question(at + 2, self._n(), user, session, context, auth_s)]

    def request(self, session, k):
        seen = self.open.get(id(session))
        if seen is None or seen.ended or seen.found_after is not None:
            return
        at, context, thief, behind = session.requests[k]
        who = (session.user.name, lines.name_of(session), context, session.begin // 1000)
        answer, = yield [lines.question(at - behind, self._n(), *who)]
        score, effect = verdict(answer)
        seen.scores.append(score)
        seen.labels.append(thief)
        if thief:
            self._stolen(seen, at, score, effect, answer)
            return
        seen.ended = effect in ("terminate", "deny")
        if session.hijacked_at is None or at < session.hijacked_at:
            seen.challenged += effect == "step_up"
            seen.why = answer if seen.ended or seen.why is None and effect == "step_up" else seen.why
        if effect == "step_up":
            yield self._proof(at - behind, *who)

    @staticmethod
    def _stolen(seen, at, score, effect, answer):
        if score > max(seen.thief_scores, default=-1):
            seen.why = answer
        seen.thief_scores.append(score)
        if effect != "allow":
            seen.found_after, seen.found_s = len(seen.thief_scores), (at - seen.session.hijacked_at) / 1000
            seen.signal, seen.why = first_signal(answer), answer

    def step(self, at, step, what, who):
        """(whose, generator)"""
        if what == "login":
            measured = at >= people.START + people.WARM_UP_DAYS * people.DAY and not who[0].tainted
            return who[0].user.name, self.enter(at, step, who[0], measured)
        if what in ("break-in", "poison"):
            return who[0].user.name, (self.attempt if what == "break-in" else self.poison)(at, step, who[0])
        if what == "failed":
            return who[0], self.failed(at, *who)
        return who[0].user.name, self.begin(who[0]) if what == "begin" else self.request(*who)

    @staticmethod
    def chain(steps):
        for step in steps:
            yield from step

    def play(self, plan, say=lambda done, all: None):
        group, count, first = {}, 0, 0
        for done, (at, step, what, *who) in enumerate(plan.steps):
            if done % 50_000 == 0:
                say(done, len(plan.steps))
            if count >= self.MOST or at - first > self.SPAN_MS:
                self.together([self.chain(steps) for steps in group.values()])
                group, count, first = {}, 0, at
            name, todo = self.step(at, step, what, who)
            group.setdefault(name, []).append(todo)
            count += 1
        self.together([self.chain(steps) for steps in group.values()])
        return self.out
