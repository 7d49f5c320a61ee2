# SPDX-License-Identifier: Apache-2.0
"""Users with habits, their devices and logins, shaped as the published data set of 31 million logins was (RISK.md, 1)."""
import bisect
import json

import places

DAY = 86_400_000
START = 1_788_220_800_000  # 2026-09-01
DAYS, WARM_UP_DAYS = 60, 14
NEW_COUNTRY, NEW_ASN, NEW_AGENT = .16, .23, .52  # of legitimate logins of users who have a history
CALM = (.4, .5, .6)  # users who are less often somewhere new: this much of those shares
NEW_DEVICE = .12  # the part of NEW_AGENT that is another device and not a later version

WINDOWS, MAC = "Mozilla/5.0 (Windows NT 10.0; Win64; x64", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7"
LINUX, DROID = "Mozilla/5.0 (X11; Linux x86_64", "Mozilla/5.0 (Linux; Android 10; K"
IPHONE, IPAD = "Mozilla/5.0 (iPhone; CPU iPhone OS {v}_1 like Mac OS X", "Mozilla/5.0 (iPad; CPU OS {v}_1 like Mac OS X"
KIT = ") AppleWebKit/537.36 (KHTML, like Gecko) "
SAFARI = ") AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{v}.1 "
GECKO = "; rv:{v}.0) Gecko/20100101 Firefox/{v}.0"
AGENTS = {  # (class, system, browser): share, first version, text
    ("mobile", "iOS", "Safari"): (30, 15, IPHONE + SAFARI + "Mobile/15E148 Safari/604.1"),
    ("mobile", "Android", "Chrome"): (27, 122, DROID + KIT + "Chrome/{v}.0.0.0 Mobile Safari/537.36"),
    ("mobile", "Android", "Samsung"): (6, 22, DROID + KIT + "SamsungBrowser/{v}.0 Chrome/115.0.0.0 Mobile Safari/537.36"),
    ("mobile", "Android", "Firefox"): (2, 122, "Mozilla/5.0 (Android 14; Mobile; rv:{v}.0) Gecko/{v}.0 Firefox/{v}.0"),
    ("desktop", "Windows", "Chrome"): (12, 122, WINDOWS + KIT + "Chrome/{v}.0.0.0 Safari/537.36"),
    ("desktop", "Windows", "Edge"): (5, 122, WINDOWS + KIT + "Chrome/{v}.0.0.0 Safari/537.36 Edg/{v}.0.0.0"),
    ("desktop", "Windows", "Firefox"): (2, 122, WINDOWS + GECKO),
    ("desktop", "Mac", "Safari"): (4, 15, MAC + SAFARI + "Safari/605.1.15"),
    ("desktop", "Mac", "Chrome"): (3, 122, MAC + KIT + "Chrome/{v}.0.0.0 Safari/537.36"),
    ("desktop", "Linux", "Firefox"): (1.5, 122, LINUX + GECKO),
    ("tablet", "iPadOS", "Safari"): (1, 15, IPAD + SAFARI + "Mobile/15E148 Safari/604.1"),
    ("bot", "other", "okhttp"): (3, 4, "okhttp/{v}.9.3"),
    ("bot", "other", "Java"): (2, 11, "Java/{v}.0.2"),
    ("bot", "other", "curl"): (2, 7, "curl/{v}.88.1"),
}
RARE_AGENTS = {  # what people hardly use, and what breaks in
    ("desktop", "Linux", "HeadlessChrome"): (3, 98, LINUX + KIT + "HeadlessChrome/{v}.0.4758.102 Safari/537.36"),
    ("desktop", "Windows", "Opera"): (2, 60, "Mozilla/5.0 (Windows NT 6.1; WOW64" + KIT + "Chrome/73.0.3683.75 OPR/{v}.0.3255.27"),
    ("desktop", "Linux", "Chrome"): (3, 83, LINUX + KIT + "Chrome/{v}.0.4103.61 Safari/537.36"),
    ("desktop", "Windows", "Yandex"): (1, 20, WINDOWS + KIT + "Chrome/98.0.4758.102 YaBrowser/{v}.3.0 Safari/537.36"),
}
TOOLS = {
    ("bot", "other", "python-requests"): (5, 28, "python-requests/2.{v}.1"),
    ("bot", "other", "curl"): (2, 7, "curl/{v}.88.1"),
    ("bot", "other", "Go-http-client"): (2, 1, "Go-http-client/{v}.1"),
}
ALL_AGENTS = {**AGENTS, **RARE_AGENTS, **TOOLS}
KINDS = {id(table): places.Weighted([(key, row[0]) for key, row in table.items()]) for table in (AGENTS, RARE_AGENTS, TOOLS)}
SCREENS = {"mobile": ("390x844", "360x800", "412x915", "393x873"), "tablet": ("1024x1366", "820x1180"),
           "desktop": ("1920x1080", "2560x1440", "1366x768", "1440x900"), "bot": ("none",)}
GPUS = {"mobile": 9, "tablet": 3, "desktop": 40, "bot": 1}
FONTS = {"mobile": 4, "tablet": 2, "desktop": 300, "bot": 1}


class Device:
    """A browser on a machine, at one version. What was computed from it stays with it: there are few, and many questions."""
    __slots__ = ("kind", "version", "mark", "screen", "agent", "fingerprint", "part")

    def __init__(self, kind, version, mark, screen, fingerprint=None, truly=None):
        """truly: the kind of browser that it is, where it calls itself another."""
        self.kind, self.version, self.mark, self.screen = kind, version, mark, screen
        self.agent = ALL_AGENTS[kind][2].replace("{v}", str(version))
        self.fingerprint = fingerprint or f"fp-{mark:012x}"
        within = truly or kind
        ja4 = f"t13d{hash_of(within[2], within[1]):06x}_{hash_of(within[2]):012x}"
        self.part = json.dumps({"fingerprint": self.fingerprint, "user_agent": self.agent, "components": {
            "os": kind[1], "browser": f"{kind[2]} {version}", "screen": screen, "gpu": f"gpu-{mark % GPUS[kind[0]]}",
            "fonts": f"{mark // 64 % FONTS[kind[0]]:x}", "ja4": ja4}}, separators=(",", ":"))

    @property
    def form(self):
        return self.kind[0]

    def updated(self, new_mark=None, version=None):
        """The same after an update of the browser; some updates change the fingerprint."""
        fingerprint = f"fp-{new_mark:012x}" if new_mark is not None else self.fingerprint
        return Device(self.kind, version or self.version + 1, self.mark, self.screen, fingerprint)

    def like(self, mark):
        """The same browser on another machine."""
        return Device(self.kind, self.version, mark, self.screen)


def hash_of(*words):
    n = 7
    for byte in "/".join(words).encode():
        n = (n * 131 + byte) % 16_777_213
    return n


def new_device(rnd, table=AGENTS, form=None):
    while True:
        kind = KINDS[id(table)].draw(rnd)
        if form is None or kind[0] in form:
            return Device(kind, table[kind][1] + int(rnd.random() * 4), rnd.getrandbits(48), rnd.choice(SCREENS[kind[0]]))


class Context:
    """Where and with what: an address in a block, and a device. `block` is None where nobody knows the place."""
    __slots__ = ("ip", "block", "device", "managed")

    def __init__(self, ip, block, device, managed=False):
        self.ip, self.block, self.device, self.managed = ip, block, device, managed

    def at(self, ip, block=None):
        return Context(ip, block or self.block, self.device, self.managed)

    def by(self, device):
        return Context(self.ip, self.block, device, self.managed)

    @property
    def known(self):
        return self.block.known

    @property
    def country(self):
        return self.block.country if self.block.known else ""

    @property
    def asn(self):
        return self.block.net.asn if self.block.known else 0


class User:
    """Habits: some people are always somewhere new, most are hardly ever."""

    def __init__(self, world, rnd, name, calm=False):
        self.name, self.world = name, world
        self.country = world.people.draw(rnd)
        home = world.access_block(rnd, self.country)
        self.places = [(home, home.address(rnd))]
        self.devices = [new_device(rnd)]
        self.peak_h = (rnd.gauss(19, 3) if rnd.random() < .6 else rnd.gauss(11, 3)) - world.lon[self.country] / 15
        calm = CALM if calm else (1, 1, 1)
        self.travels = rnd.betavariate(.15, .75) * calm[0]
        self.strays = rnd.betavariate(.2, 2.2) * calm[1]
        self.renews = rnd.betavariate(.7, .62) * calm[2]
        self.logins = []  # (at_ms, Context), in order
        self.stays = []   # their times alone, for looking up
        self.times = []   # these and the times of logins that begin a session of the bench

    def moment(self, rnd, day):
        return START + int(day) * DAY + int((rnd.gauss(self.peak_h, 2.5) % 24) * 3_600_000)

    def live(self, rnd, first_day=0, count=None):
        # 39.7 % have one login, the median is 2, 1 % have 28 or more.
        count = count or max(1, round(rnd.lognormvariate(.69, 1.13)))
        self.stays = sorted(self.moment(rnd, first_day + rnd.random() * (DAYS - first_day)) for _ in range(count))
        self.logins = [(at, self.next(rnd, n == 0)) for n, at in enumerate(self.stays)]
        self.times = list(self.stays)
        return self

    def come(self, at_ms):
        bisect.insort(self.times, at_ms)

    def next(self, rnd, first):
        if not first:
            self._move(rnd)
            self._renew(rnd)
        block, ip = self.places[-1]
        return Context(ip, block, self.devices[-1])

    def _move(self, rnd):
        u = rnd.random()
        if u < self.travels:
            code = self.world.people.draw(rnd)
            known = {b.country for b, _ in self.places}
            while code in known and not known.issuperset(self.world.codes):
                code = rnd.choice(self.world.codes)  # who was nearly everywhere goes somewhere rare
            block = self.world.kind_block(rnd, "vpn", code) if rnd.random() < .15 else self.world.access_block(rnd, code)
            self.places.append((block, block.address(rnd)))
        elif u < self.travels + self.strays:
            block = self.world.access_block(rnd, self.country)
            for _ in range(20):
                if all(block.net is not b.net for b, _ in self.places):
                    break
                block = self.world.access_block(rnd, self.country)
            self.places.append((block, block.address(rnd)))
        else:
            # Home most of the time, else somewhere known; providers give another address now and then.
            block, ip = self.places[0] if rnd.random() < .6 else rnd.choice(self.places)
            if rnd.random() < .35:
                other = rnd.choice(block.net.blocks) if rnd.random() < .2 else block
                block = other if other.country == block.country else block
                ip = block.address(rnd)
            self.places.append((block, ip))

    def _renew(self, rnd):
        u = rnd.random()
        if u < self.renews * NEW_DEVICE / NEW_AGENT:
            self.devices.append(new_device(rnd))
        elif u < self.renews:
            old = rnd.choice(self.devices)
            newest = max(d.version for d in self.devices if d.kind == old.kind)
            self.devices.append(old.updated(rnd.getrandbits(48) if rnd.random() < .3 else None, newest + 1))
        elif rnd.random() < .3:
            self.devices.append(rnd.choice(self.devices))

    def history(self, at_ms):
        """How many logins came before."""
        return bisect.bisect_left(self.times, at_ms)

    def context_at(self, at_ms):
        """The last one before a moment, or the first one ever where there was none."""
        return self.logins[max(0, bisect.bisect_left(self.stays, at_ms) - 1)][1]


def class_of(history):
    return "new" if history == 0 else "thin" if history <= 4 else "thick"


def shape(users):
    """What the shares came out as: for the report, and for the check that they are those of the data set."""
    total = repeated = country = asn = agent = 0
    forms, homes, countries, counts = {}, {}, {}, []
    for user in users:
        seen = (set(), set(), set())
        counts.append(len(user.logins))
        for n, (_, context) in enumerate(user.logins):
            now = (context.country, context.asn, context.device.agent)
            total += 1
            forms[context.device.form] = forms.get(context.device.form, 0) + 1
            homes[now[1]] = homes.get(now[1], 0) + 1
            countries[now[0]] = countries.get(now[0], 0) + 1
            if n > 0:
                repeated += 1
                country += now[0] not in seen[0]
                asn += now[1] not in seen[1]
                agent += now[2] not in seen[2]
            for known, value in zip(seen, now):
                known.add(value)
    counts.sort()
    top = sorted(homes.values(), reverse=True)
    return {"users": len(users), "logins": total, "median": counts[len(counts) // 2], "p90": counts[int(len(counts) * .9)],
            "p99": counts[int(len(counts) * .99)], "single": counts.count(1) / len(counts),
            "new_country": country / max(1, repeated), "new_asn": asn / max(1, repeated), "new_agent": agent / max(1, repeated),
            "forms": {k: v / total for k, v in sorted(forms.items())}, "asn_shares": [n / total for n in top[:4]],
            "country_shares": {k: countries[k] / total for k in sorted(countries, key=lambda k: -countries[k])[:5]}}
