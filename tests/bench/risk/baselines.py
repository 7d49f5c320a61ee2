# SPDX-License-Identifier: Apache-2.0
"""What others do, over the same steps. Each answers `login(user, context, at)` before it may `learn` that login, and where
it says anything of sessions `request(session, context, at)`; higher is worse. Histories are unbounded."""
import difflib
import functools
import math
import random

import people
import places

NOT_SCORED = -1e9  # no history: Freeman's ratio is not defined


class Counts:
    """How often each value was seen at each level of a feature, and how many deeper values under each."""

    def __init__(self):
        self.n, self.seen, self.deeper = 0, {}, {}

    def add(self, feature, levels):
        """levels: from the value itself to the coarsest it belongs to."""
        for level, value in enumerate(levels):
            key = (feature, level, value)
            before = self.seen.get(key, 0)
            self.seen[key] = before + 1
            if before == 0:
                self.deeper[feature, level] = self.deeper.get((feature, level), 0) + 1
                if level == 0:
                    for above in range(1, len(levels)):
                        under = (feature, above, levels[above])
                        self.deeper[under] = self.deeper.get(under, 0) + 1


def smooth(count, n, m):
    """Seen: c/N (1 − M/(N + M)). Unseen: 1/(N + M)."""
    return count / n * (1 - m / (n + m)) if count else 1 / (n + m)


class Freeman:
    """Freeman et al. 2016: the logarithm of Π p(x)/p(x|u) · (1/|U|)/(n_u/N), with their hierarchies, weights and smoothing.

    What a user never used is as likely for them as 1/(N + M), times its share among everybody: then what is rare for all is
    as odd as what is common for all. `ToTheLetter` leaves that share out, and takes what is rare for a rightful habit."""
    WEIGHTS = {"ip": (.6, .3, .1), "agent": (.5387, .2680, .1882, .0051)}

    def __init__(self):
        self.all, self.users, self.said = Counts(), {}, {}

    @staticmethod
    def features(context):
        kind = context.device.kind
        return {"ip": (context.ip, context.asn, context.country),
                "agent": (context.device.agent, f"{kind[2]} {context.device.version}", kind[1], kind[0])}

    def learn(self, user, context, at):
        own = self.users.setdefault(user.name, Counts())
        for counts in (self.all, own):
            counts.n += 1
            for feature, levels in self.features(context).items():
                counts.add(feature, levels)

    def unseen(self, own, feature, level, share):
        return 1 / (own.n + own.deeper[feature, level]) * share

    def ratio(self, own, feature, levels):
        """p(x)/p(x|u), each the weighted sum over levels of p(x|level) p(level); p(x|level) is everybody's."""
        everybody = theirs = 0.0
        for level, weight in enumerate(self.WEIGHTS[feature]):
            key, under = (feature, level, levels[level]), (feature, level)
            here, mine = self.all.seen.get(key, 0), own.seen.get(key, 0)
            share = smooth(here, self.all.n, self.all.deeper[under])
            within = 1.0
            if level > 0 and here:
                within = smooth(self.all.seen.get((feature, 0, levels[0]), 0), here, self.all.deeper[key])
            everybody += weight * within * share
            theirs += weight * within * (smooth(mine, own.n, own.deeper[under]) if mine
                                         else self.unseen(own, feature, level, share))
        return everybody / theirs

    def login(self, user, context, at):
        own = self.users.get(user.name)
        if own is None:
            return NOT_SCORED
        score = math.log(self.all.n / (len(self.users) * own.n))
        return score + sum(math.log(self.ratio(own, *feature)) for feature in self.features(context).items())

    def request(self, session, context, at):
        # Within the hour of a session nothing that counts changes: one score a context is enough.
        key = (id(session), id(context))
        if key not in self.said:
            self.said[key] = self.login(session.user, context, at)
        return self.said[key]


class FreemanToTheLetter(Freeman):
    def unseen(self, own, feature, level, share):
        return 1 / (own.n + own.deeper[feature, level])


class History:
    """What the rules keep: all logins of each user, and of each session its first and last request."""

    def __init__(self):
        self.users, self.sessions, self.said = {}, {}, {}

    def learn(self, user, context, at):
        self.users.setdefault(user.name, []).append((at, context))

    def pair(self, session, context, at):
        """(first context, last time, last context) of a session, before this request."""
        first, last_at, last = self.sessions.get(id(session), (context, at, context))
        self.sessions[id(session)] = (first, at, context)
        return first, last_at, last


def speed(before_at, before, at, now):
    if not before.known or not now.known or before.ip == now.ip:
        return 0.0
    return places.distance_km(before.block, now.block) / max((at - before_at) / 3_600_000, 1 / 60)


class Points(History):
    """Points for each thing that is new, added up, 100 at most: what most home-made scores do."""
    TABLE = (("country", 40), ("asn", 20), ("net", 10), ("agent", 15), ("fingerprint", 20))
    VEILED, TRAVEL, HOUR = 30, 30, 5

    @staticmethod
    @functools.lru_cache(maxsize=10_000)
    def values(context):
        return {"country": context.country, "asn": context.asn, "net": context.ip.rsplit(".", 1)[0] if "." in context.ip
                else context.ip.rsplit(":", 4)[0], "agent": context.device.agent, "fingerprint": context.device.fingerprint}

    def score(self, known, now, veiled, travels):
        points = sum(worth for what, worth in self.TABLE if now[what] not in known[what])
        return min(100, points + self.VEILED * veiled + self.TRAVEL * travels)

    def login(self, user, context, at):
        past = self.users.get(user.name, [])
        known = {what: set() for what, _ in self.TABLE}
        for _, before in past:
            for what, value in self.values(before).items():
                known[what].add(value)
        travels = bool(past) and speed(*past[-1], at, context) > 900
        hours = {(before // 3_600_000) % 24 for before, _ in past}
        odd = bool(past) and all((at // 3_600_000 - h) % 24 not in (0, 1, 23) for h in hours)
        veiled = context.block.net.kind in ("hosting", "vpn", "tor")
        return min(100, self.score(known, self.values(context), veiled, travels) + self.HOUR * odd)

    def request(self, session, context, at):
        first, last_at, last = self.pair(session, context, at)
        key = (id(session), id(context))
        if key not in self.said:
            known = {what: {value} for what, value in self.values(first).items()}
            self.said[key] = self.score(known, self.values(context), context.block.net.kind in ("hosting", "vpn", "tor"), False)
        travels = last is not context and speed(last_at, last, at, context) > 900
        return min(100, self.said[key] + self.TRAVEL * travels)


class Authentik(History):
    """Farther than 1000 km/h · hours + 100 km from any of the last five logins."""
    KMH, TOLERANCE_KM, LOOKS = 1000, 100, 5

    def too_far(self, km, seconds):
        return km > self.KMH * seconds / 3600 + self.TOLERANCE_KM

    def distance(self, before, now):
        return places.distance_km(before.block, now.block) if before.known and now.known else 0.0

    def login(self, user, context, at):
        past = self.users.get(user.name, [])[-self.LOOKS:]
        return float(any(self.too_far(self.distance(before, context), (at - when) / 1000) for when, before in past))


class AuthentikAsItWas(Authentik):
    """With the four bugs of its history: strikes only close to the limit; a day is called an hour (seconds / 86,400); its own
    tolerance is the width of `close` and widens no limit; what is missing lies at 0, 0 and so counts as travel."""
    NOWHERE = places.Block(None, 0, 0, "", ("", "", 0.0, 0.0), 0)

    def too_far(self, km, seconds):
        return abs(km - self.KMH * seconds / 86_400) <= self.TOLERANCE_KM and km > 0

    def distance(self, before, now):
        a, b = (c.block if c.known else self.NOWHERE for c in (before, now))
        return places.distance_km(a, b)


@functools.lru_cache(maxsize=100_000)
def alike(a, b):
    return difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()


class Panther(History):
    """Logins: over 900 km/h, but for VPN, relay and satellite. Sessions: another address and another user agent at once."""
    EXEMPT = ("vpn", "relay", "satellite")

    def login(self, user, context, at):
        past = self.users.get(user.name)
        if not past or any(c.block.net.kind in self.EXEMPT for c in (past[-1][1], context)):
            return 0.0
        return float(speed(*past[-1], at, context) > 900)

    def request(self, session, context, at):
        first = self.sessions.setdefault(id(session), (context,))[0]
        return float(first.ip != context.ip and alike(first.device.agent, context.device.agent) < .95)


class Chance(History):
    def __init__(self, seed):
        super().__init__()
        self.rnd = random.Random(f"{seed}/chance")

    def login(self, user, context, at):
        return self.rnd.random()

    def request(self, session, context, at):
        return self.rnd.random()


def everyone(seed):
    return {"freeman": Freeman(), "freeman, literal": FreemanToTheLetter(), "points": Points(),
            "authentik, buggy": AuthentikAsItWas(), "authentik": Authentik(), "panther": Panther(), "random": Chance(seed)}


# ---- The same steps ------------------------------------------------------------------------------------


class Limit:
    """The score above which a method would have asked 5 % of the logins so far: what a poisoner must stay below."""

    def __init__(self):
        self.scores, self.value, self.due = [], math.inf, 200

    def add(self, score):
        self.scores.append(score)
        if len(self.scores) >= self.due:
            self.due = int(len(self.scores) * 1.2)
            self.value = sorted(self.scores)[int(len(self.scores) * .95)]


class Seen:
    """The highest scores of a session: of the owner before a theft, of the thief's first two and first ten requests."""
    __slots__ = ("session", "owner", "two", "ten", "count")

    def __init__(self, session):
        self.session, self.owner, self.two, self.ten, self.count = session, -math.inf, -math.inf, -math.inf, 0

    def add(self, score, thief, stolen):
        if thief:
            self.count += 1
            self.two = max(self.two, score) if self.count <= 2 else self.two
            self.ten = max(self.ten, score) if self.count <= 10 else self.ten
        elif not stolen:
            self.owner = max(self.owner, score)


def play(plan, name, method):
    """(at, attempt, score) of each measured login, and a Seen of each session; without the latter where it has no say."""
    logins, sessions, limit = [], {}, Limit()
    has_say = hasattr(method, "request")
    for at, _, what, *who in plan.steps:
        if what == "login":
            score = method.login(who[0].user, who[0].context, at)
            if score > NOT_SCORED:
                limit.add(score)
            if at >= people.START + people.WARM_UP_DAYS * people.DAY and not who[0].tainted:
                logins.append((at, who[0], score))
            method.learn(who[0].user, who[0].context, at)
        elif what == "break-in":
            logins.append((at, who[0], method.login(who[0].user, who[0].context, at)))
        elif what == "poison":
            if method.login(who[0].user, who[0].context, at) <= limit.value:
                method.learn(who[0].user, who[0].context, at)
        elif what == "begin":
            method.learn(who[0].user, who[0].requests[0][1], at)
            sessions[id(who[0])] = Seen(who[0])
        elif has_say and what == "request":
            session, k = who
            _, context, thief, _ = session.requests[k]
            sessions[id(session)].add(method.request(session, context, at), thief,
                                      session.hijacked_at is not None and at >= session.hijacked_at)
    return logins, list(sessions.values()) if has_say else []
