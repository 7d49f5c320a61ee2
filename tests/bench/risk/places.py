# SPDX-License-Identifier: Apache-2.0
"""The networks of an invented world: countries, cities, systems and their address blocks, and the marks of hosting,
VPN, Tor, relays and satellites. `tell` writes it as rows for mmdb.pl; a real database can stand in (realgeo.py)."""
import bisect
import itertools
import math

# Shares of people, so that those of logins, with those who travel, come to what is published: NO 42, US 28, RU 5, BR 4,
# DE 3 %, and the rest thinner and thinner. Then the rough middle of each.
COUNTRIES = [
    ("NO", 51, 61, 9, "EU"), ("US", 32, 39, -97, "NA"), ("RU", 5, 55, 40, "EU"), ("BR", 4, -15, -48, "SA"),
    ("DE", 3, 51, 10, "EU"), ("SE", 1.8, 60, 16, "EU"), ("GB", 1.6, 53, -1.5, "EU"), ("DK", 1.4, 56, 10, "EU"),
    ("IN", 1.3, 22, 79, "AS"), ("PL", 1.2, 52, 19, "EU"), ("FR", 1.1, 47, 2.5, "EU"), ("NL", 1, 52, 5, "EU"),
    ("ES", .9, 40, -3.7, "EU"), ("UA", .9, 49, 31, "EU"), ("CA", .8, 50, -97, "NA"), ("IT", .7, 43, 12, "EU"),
    ("FI", .6, 62, 26, "EU"), ("MX", .6, 20, -101, "NA"), ("ID", .5, -4, 110, "AS"), ("AU", .5, -30, 146, "OC"),
    ("JP", .5, 36, 138, "AS"), ("TR", .5, 39, 33, "AS"), ("AR", .4, -35, -62, "SA"), ("ZA", .4, -29, 25, "AF"),
    ("PH", .4, 14, 121, "AS"), ("VN", .4, 16, 107, "AS"), ("CN", .4, 33, 110, "AS"), ("RO", .3, 45, 25, "EU"),
    ("TH", .3, 14, 101, "AS"), ("NG", .3, 8, 7, "AF"), ("SG", .2, 1.3, 103.8, "AS"), ("KR", .2, 37, 127, "AS"),
    ("CH", .2, 47, 8, "EU"), ("LV", .2, 57, 25, "EU"), ("CZ", .2, 50, 15, "EU")]
LEADING = {"NO": .70, "US": .80}  # so that 28 and 21 % of all logins come from one system each
MARKS = {"hosting": ["is_hosting_provider"], "vpn": ["is_anonymous", "is_anonymous_vpn", "is_hosting_provider"],
         "tor": ["is_anonymous", "is_tor_exit_node"], "relay": ["is_hosting_provider"], "satellite": ["is_satellite_provider"]}
NEVER = [(0, 8), (10, 8), (100, 8), (127, 8), (169, 8), (172, 8), (192, 8), (198, 8), (203, 8)]  # first byte, kept out whole
EARTH_KM = 6371.0


def distance_km(a, b):
    la, lb = math.radians(a.lat), math.radians(b.lat)
    h = math.sin((lb - la) / 2) ** 2 + math.cos(la) * math.cos(lb) * math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(h)))


class Block:
    """A prefix of one system at one place: 2^room IPv4 addresses, and a /48 of IPv6."""
    __slots__ = ("net", "base", "room", "v6", "country", "lat", "lon", "radius", "known", "city")

    def __init__(self, net, base, room, v6, place, radius, known=True):
        self.net, self.base, self.room, self.v6, self.radius, self.known = net, base, room, v6, radius, known
        self.city, self.country, self.lat, self.lon = place

    def address(self, rnd):
        n = self.base + 1 + int(rnd.random() * ((1 << self.room) - 2))
        return f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"

    def lan(self, rnd):
        """A household's /64."""
        return f"{self.v6}:{int(rnd.random() * 65536):x}"


def host6(rnd, lan):
    return lan + "".join(f":{1 + int(rnd.random() * 65535):x}" for _ in range(4))


class Net:
    """One autonomous system."""
    __slots__ = ("asn", "org", "country", "kind", "blocks")

    def __init__(self, asn, org, country, kind):
        self.asn, self.org, self.country, self.kind, self.blocks = asn, org, country, kind, []


class Weighted:
    """Draws items by weight with one random number."""

    def __init__(self, pairs):
        self.items = [item for item, _ in pairs]
        self.sums = list(itertools.accumulate(weight for _, weight in pairs))

    def draw(self, rnd):
        return self.items[bisect.bisect_right(self.sums, rnd.random() * self.sums[-1], 0, len(self.items) - 1)]


def radius(rnd, kind):
    # Of random IPv4 addresses 40 % are known within 1000 km and 28 % within 20 km.
    u = rnd.random() * (.7 if kind == "mobile" else 1)
    return 1000 if u < .40 else rnd.choice((5, 10, 20)) if u >= .72 else rnd.choice((50, 100, 200, 500))


class World:
    """access: country -> systems people use at home, at work, on the move, by share. Others by kind."""

    def __init__(self, rnd):
        self.nets, self.by_kind, self.access, self.cities = [], {}, {}, {}
        self.people = Weighted([(row[0], row[1]) for row in COUNTRIES])
        self.codes = [row[0] for row in COUNTRIES]
        self.lon = {row[0]: row[3] for row in COUNTRIES}
        self.continent = {row[0]: row[4] for row in COUNTRIES}
        self._next4, self._next6, self._asn = 1 << 24, 0, 1000
        for code, share, lat, lon, _ in COUNTRIES:
            wide = 5 if code in ("US", "RU", "BR", "CA", "AU", "CN", "IN") else 1.5
            self.cities[code] = [(f"{code.title()}burg {n}", code, round(lat + rnd.uniform(-wide, wide), 4),
                                  round(lon + rnd.uniform(-wide, wide) * 1.5, 4)) for n in range(10 if share > 2 else 5)]
        for code, share, *_ in COUNTRIES:
            nets = [self._net(code, "mobile" if n % 3 == 1 else "fixed", 10) for n in range(40 if share > 20 else 10)]
            for net in nets:
                self._fill(rnd, net, [code] * (8 if net is nets[0] else 4), 15)
            shares = [1 / (n + 1) for n in range(len(nets))]
            if code in LEADING:
                rest = sum(shares[1:])
                shares = [LEADING[code]] + [s / rest * (1 - LEADING[code]) for s in shares[1:]]
            self.access[code] = Weighted(list(zip(nets, shares)))
        every = self.codes
        for kind, count, places, room in (("hosting", 40, 2, 14), ("vpn", 12, 15, 10), ("tor", 8, 3, 9), ("satellite", 2, 12, 14),
                                          ("corporate", 12, 1, 6), ("dark", 10, 2, 12)):
            for _ in range(count):
                home = rnd.choice(every)
                where = [self.people.draw(rnd)] if kind == "corporate" else [home] + rnd.sample(every, places - 1)
                self._fill(rnd, self._net(where[0], kind, 10), where, room)
        for _ in range(2):
            self._fill(rnd, self._net("US", "relay", 10), every, 10)

    def _net(self, country, kind, step):
        self._asn += step
        net = Net(self._asn, f"{kind.title()} {self._asn}", country, kind)
        self.nets.append(net)
        self.by_kind.setdefault(kind, []).append(net)
        return net

    def _fill(self, rnd, net, countries, room):
        for code in countries:
            while any(self._next4 >> 24 == first for first, _ in NEVER):
                self._next4 += 1 << 24
            self._next4 = (self._next4 + (1 << room) - 1) >> room << room
            self._next6 += 1
            v6 = f"2a0{self._next6 >> 16:x}:{self._next6 & 0xffff:x}:1"
            km = 1000 if net.kind in ("relay", "satellite") else radius(rnd, net.kind)
            net.blocks.append(Block(net, self._next4, room, v6, rnd.choice(self.cities[code]), km, net.kind != "dark"))
            self._next4 += 1 << room

    def access_block(self, rnd, country, kind=None):
        for _ in range(100):
            net = self.access[country].draw(rnd)
            if kind is None or net.kind == kind:
                return rnd.choice(net.blocks)
        return rnd.choice(net.blocks)

    def kind_block(self, rnd, kind, country=None):
        """A block of a hosting, VPN, relay... system; in that country where there is one."""
        blocks = [b for net in self.by_kind[kind] for b in net.blocks if country is None or b.country == country]
        return rnd.choice(blocks or [b for net in self.by_kind[kind] for b in net.blocks])

    def tell(self):
        """Rows `RANGE ASN ORG COUNTRY CONTINENT CITY LAT LON RADIUS MARKS` with tabs between, for mmdb.pl."""
        for net in self.nets:
            marks = ",".join(MARKS.get(net.kind, [])) or "-"
            for b in net.blocks:
                if b.known:
                    fact = "\t".join(map(str, (net.asn, net.org, b.country, self.continent[b.country], b.city, b.lat, b.lon,
                                               b.radius, marks)))
                    n = b.base
                    yield f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}/{32 - b.room}\t{fact}"
                    yield f"{b.v6}::/48\t{fact}"

    def lists(self, kind):
        """The same marks as a file of a List document: who has no database of them has such lists."""
        for net in self.by_kind.get(kind, []):
            for b in net.blocks:
                n = b.base
                yield f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}/{32 - b.room}"
                yield f"{b.v6}::/48"
