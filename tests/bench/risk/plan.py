# SPDX-License-Identifier: Apache-2.0
"""What happens, in order of time: logins, break-ins with passwords, sessions with and without thieves.

A step is (at_ms, number, what, who…); `lines.py` makes the JSON of it. Nothing here knows how anything is scored."""
import random

import attackers
import innocents
import people
import places

FEWEST, MOST = 20, 200  # requests of a session
FORGETS = .04  # of logins, and of beginnings of sessions, that follow a wrong password or two
CROWDED = 53, 56  # days in which all sessions of innocents alone begin: those of many at once are asked together
LATE = 20 * 60_000  # no pause of a session is longer, so that none idles out


class Attempt:
    """A login to judge: a user's own (attacker None) or somebody else's. `history` is how many logins came before."""
    __slots__ = ("user", "context", "attacker", "causes", "history", "tainted")

    def __init__(self, user, context, attacker=None, causes=(), history=0, tainted=False):
        self.user, self.context, self.attacker, self.causes = user, context, attacker, causes
        self.history, self.tainted = history, tainted


class Session:
    """requests: (at_ms, context, is_thief, ms that the clock is behind)."""
    __slots__ = ("user", "kind", "attacker", "causes", "begin", "requests", "hijacked_at")

    def __init__(self, user, kind, attacker, causes, begin):
        self.user, self.kind, self.attacker, self.causes, self.begin = user, kind, attacker, causes, begin
        self.requests, self.hijacked_at = [], None


def _gap(rnd, median_s):
    return min(LATE, 200 + int(rnd.lognormvariate(0, 1) * median_s * 1000))


def _count(rnd):
    return int(FEWEST * (MOST / FEWEST) ** rnd.random())


def _benign(world, rnd, kind, session):
    base = session.user.context_at(session.begin)
    count = _count(rnd)
    at = session.begin
    for what in innocents.ALL[kind](world, rnd, session.user, base, count):
        context, behind = what if isinstance(what, tuple) else (what, 0)
        session.requests.append((at, context, False, behind))
        at += _gap(rnd, 15)
    return session


def _hijacked(world, population, rnd, session):
    """From a request that nobody foresees on there is a thief, faster than the owner, who stays in every second case."""
    known = session.user.context_at(session.begin)
    theirs = attackers.SESSIONS[session.attacker](world, population, rnd, known)
    count, at, stays = _count(rnd), session.begin, rnd.random() < .5
    session.causes = attackers.causes(known, theirs, "pace", *(("both-at-once",) if stays else ()))
    taken = 5 + int(rnd.random() * (count - 12))
    for n in range(count):
        thief = n == taken or n > taken and (not stays or rnd.random() < .6)
        session.requests.append((at, theirs if thief else known, thief, 0))
        at += _gap(rnd, 4 if n >= taken else 15)
    session.hijacked_at = session.requests[taken][0]
    return session


class Plan:
    """Everything drawn from one seed. Parts have random numbers of their own, so that one more of one changes no other."""

    def __init__(self, seed, users, sessions, world=None, calm=False, attacked=True):
        """attacked: else there are innocents alone."""
        self.seed, self.calm, self.attacked = seed, calm, attacked
        self.world = world or places.World(self.rnd("places"))
        self.users = [people.User(self.world, self.rnd("user", n), f"u{n}", calm).live(self.rnd("life", n)) for n in range(users)]
        self.population = places.Weighted([(u, len(u.logins)) for u in self.users])
        self.each = max(24, users // 5)  # attacks of a kind on logins, with a third for each class of users
        self.some = max(24, users // 16)  # of those that leave traces: poisoners, and the hits of campaigns
        self.steps, self._number = [], 0
        self.tainted = {}  # users whose later logins are not measured, since when: somebody else was in
        if attacked:
            self._poison()
        self._sessions(sessions)
        self._logins()
        if attacked:
            self._break_ins(calm)
        self.steps.sort(key=lambda step: step[:2])

    def rnd(self, *part):
        """Random numbers of a part's own."""
        return random.Random("/".join(map(str, (self.seed, *part))))

    def _add(self, at, what, *rest):
        self._number += 1
        self.steps.append((at, self._number, what, *rest))

    def _forget(self, rnd, at, name, context, share=FORGETS):
        """Before some logins a wrong password or two."""
        if rnd.random() < share:
            for n in range(1 if rnd.random() < .7 else 2):
                self._add(at - 8_000 - n * 9_000 - int(rnd.random() * 4_000), "failed", name, context)

    def _logins(self):
        rnd = self.rnd("forgets")
        for user in self.users:
            since = self.tainted.get(user.name)
            for at, context in user.logins:
                tainted = since is not None and at >= since
                self._forget(rnd, at, user.name, context)
                self._add(at, "login", Attempt(user, context, history=user.history(at), tainted=tainted))

    def _break_ins(self, calm):
        rnd = self.rnd("break-ins")
        measured = people.START + people.WARM_UP_DAYS * people.DAY
        end = people.START + people.DAYS * people.DAY
        chances = {"thin": [], "thick": []}
        for user in self.users:
            for n, (at, _) in enumerate(user.logins):
                until = user.stays[n + 1] if n + 1 < len(user.stays) else end
                since = max(at, measured)
                if until > measured and user.name not in self.tainted:
                    chances[people.class_of(user.history(since + 1))].append((user, since, until))
        silent = [people.User(self.world, self.rnd("silent", n), f"n{n}", calm).live(self.rnd("silence", n), count=1)
                  for n in range(max(8, self.each // 3))]
        measured_span = (measured, end)
        for name, make in attackers.LOGINS.items():
            for n in range(self.each):
                user, at = self._victim(rnd, n, chances, silent, measured_span)
                self._break_in(at, user, name, lambda known: make(self.world, self.population, rnd, known), "hour")
        self._stuffing(self.rnd("stuffing"), chances, silent, measured_span)

    @staticmethod
    def _victim(rnd, n, chances, silent, span, at=None):
        """Somebody of each class by turns, and a moment; or at a given moment, of those who have the history then."""
        kind = ("new", "thin", "thick")[n % 3]
        for _ in range(200 if at else 1):
            if kind == "new" or not chances[kind]:
                break
            user, since, until = rnd.choice(chances[kind])
            if at is None:
                return user, since + 1 + int(rnd.random() * (until - since - 1))
            if since < at < until:
                return user, at
        return rnd.choice(silent), at or span[0] + int(rnd.random() * (span[1] - span[0]))

    def _break_in(self, at, user, name, make, *causes):
        known = user.context_at(at)
        context = make(known)
        history = 0 if user.name.startswith("n") else user.history(at)
        self._add(at, "break-in", Attempt(user, context, name, attackers.causes(known if history else None, context, *causes), history))

    def _stuffing(self, rnd, chances, silent, span):
        """Each campaign names six strangers or users for one whose password fits."""
        for _ in range(max(1, self.some // attackers.Stuffing.HITS)):
            campaign = attackers.Stuffing(self.world, self.population, rnd)
            begin = span[0] + int(rnd.random() * (span[1] - span[0] - campaign.LASTS_MS))
            hits = 0
            for late, hit in campaign.tries:
                context = campaign.context(rnd)
                if hit:
                    user, at = self._victim(rnd, hits, chances, silent, span, begin + late)
                    self._break_in(at, user, attackers.STUFFING, lambda known: context, "hour", "source")
                    hits += 1
                else:
                    name = rnd.choice(self.users).name if rnd.random() < .3 else f"x{rnd.getrandbits(30)}"
                    self._add(begin + late, "failed", name, context)

    def _poison(self):
        """Each on a user of its own, whose later logins are not measured: they were made to look odd."""
        rnd = self.rnd("poison")
        span = 6 * people.DAY
        ready = [u for u in self.users if len(u.logins) > 1]
        for user in rnd.sample(ready, min(len(ready) // 4, self.some)):
            earliest = max(user.stays[0], people.START + people.WARM_UP_DAYS * people.DAY)
            at = earliest + int(rnd.random() * max(1, people.START + (people.DAYS - 8) * people.DAY - earliest))
            self.tainted[user.name] = at
            known = user.context_at(at)
            steps = attackers.poisoning(self.world, self.population, rnd, known)
            for n, context in enumerate(steps):
                last = n == len(steps) - 1
                attempt = Attempt(user, context, "slow-poisoning", attackers.causes(known, context, "hour"),
                                  user.history(at))
                self._add(at, "break-in" if last else "poison", attempt)
                at += 2 * 3_600_000 + int(rnd.random() * span / len(steps))

    def _sessions(self, count):
        rnd = self.rnd("sessions")
        first, last = (people.WARM_UP_DAYS, people.DAYS - 1) if self.attacked else CROWDED
        kinds = list(innocents.ALL)
        thefts = [name for name in attackers.SESSIONS for _ in range(max(4, count // 20))] if self.attacked else []
        todo = [(kinds[n % len(kinds)], None) for n in range(count)] + [("theft", name) for name in thefts]
        pool = [u for u in self.users if u.name not in self.tainted and u.logins[-1][1].device.form != "bot"]
        for n, (kind, attacker) in enumerate(todo):
            user = pool[n % len(pool)] if n < len(pool) else rnd.choice(pool)
            begin = people.START + int((first + rnd.random() * (last - first)) * people.DAY)
            begin = user.moment(rnd, (begin - people.START) // people.DAY)
            session = Session(user, kind, attacker, (), begin)
            user.come(begin)
            if attacker:
                self.tainted.setdefault(user.name, begin)
                _hijacked(self.world, self.population, rnd, session)
            else:
                _benign(self.world, rnd, kind, session)
            self._forget(rnd, session.requests[0][0], user.name, session.requests[0][1], FORGETS * (3 if kind == "corporate-egress" else 1))
            self._add(session.requests[0][0], "begin", session)
            for k, request in enumerate(session.requests):
                self._add(request[0], "request", session, k)
