# SPDX-License-Identifier: Apache-2.0
"""A world of networks out of real databases (`--geo FILE…`): one of places, one of systems, and where there is one, of marks.

Addresses are drawn at random and looked up; what they fall into becomes the blocks of a system. A database of places alone
tells no systems: then each /12 of a country is taken for one."""
import ipaddress
import mmap
import struct

import places

# Where no database has marks: systems that are known for it.
KNOWN = {"hosting": (16509, 14618, 14061, 24940, 16276, 63949, 20473, 396982, 8075, 51167), "vpn": (9009, 212238, 60068, 136787),
         "tor": (53667, 60729, 208323), "relay": (36183, 13335, 54113), "satellite": (14593, 7155, 46536)}
SAMPLES = 100_000


class Reader:
    """As much of the MaxMind DB format as is needed to read facts."""
    END = b"\xab\xcd\xefMaxMind.com"

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        at = self.data.rfind(self.END)
        if at < 0:
            raise ValueError(f"`{path}` is no database of MaxMind's format")
        self.base = at + len(self.END)
        self.meta, _ = self._value(self.base)
        self.nodes, self.bits = self.meta["node_count"], self.meta["record_size"]
        self.bytes = self.bits * 2 // 8
        self.base = self.nodes * self.bytes + 16
        self.memo, self.root4 = {}, 0
        for _ in range(96 if self.meta["ip_version"] == 6 else 0):
            self.root4 = self._child(self.root4, 0) if self.root4 < self.nodes else self.root4

    def _child(self, node, side):
        at, data = node * self.bytes, self.data
        if self.bits == 24:
            return int.from_bytes(data[at + 3 * side:at + 3 * side + 3], "big")
        if self.bits == 28:
            middle = data[at + 3]
            high = middle & 15 if side else middle >> 4
            return high << 24 | int.from_bytes(data[at + 4 * side:at + 4 * side + 3], "big")
        return int.from_bytes(data[at + 4 * side:at + 4 * side + 4], "big")

    def look(self, text):
        """(facts, length of the prefix in the address's own bits), or (None, length)."""
        address = ipaddress.ip_address(text)
        width, number = (32, int(address)) if address.version == 4 else (128, int(address))
        node = self.root4 if width == 32 else 0
        for depth in range(width):
            if node >= self.nodes:
                break
            node = self._child(node, number >> (width - 1 - depth) & 1)
        else:
            depth = width
        if node <= self.nodes:
            return None, depth
        if node not in self.memo:
            self.memo[node] = self._value(self.base + node - self.nodes - 16)[0]
        return self.memo[node], depth

    def _value(self, at):
        control = self.data[at]
        kind, size, at = control >> 5, control & 31, at + 1
        if kind == 1:
            more = (control >> 3 & 3) + 1
            number = int.from_bytes(self.data[at:at + more], "big")
            if more < 4:
                number += ((control & 7) << 8 * more) + (0, 0, 2048, 526_336)[more]
            return self._value(self.base + number)[0], at + more
        if kind == 0:
            kind, at = 7 + self.data[at], at + 1
        if size >= 29:
            more = size - 28
            size = int.from_bytes(self.data[at:at + more], "big") + (29, 285, 65_821)[more - 1]
            at += more
        return self._plain(kind, size, at)

    def _plain(self, kind, size, at):
        if kind == 7:
            out = {}
            for _ in range(size):
                key, at = self._value(at)
                out[key], at = self._value(at)
            return out, at
        if kind == 11:
            out = []
            for _ in range(size):
                item, at = self._value(at)
                out.append(item)
            return out, at
        if kind == 14:
            return bool(size), at
        raw = self.data[at:at + size]
        if kind == 2:
            return raw.decode(), at + size
        if kind == 3:
            return struct.unpack(">d", raw)[0], at + size
        if kind == 15:
            return struct.unpack(">f", raw)[0], at + size
        return (raw if kind == 4 else int.from_bytes(raw, "big", signed=kind == 8)), at + size


def _kind(asn, marks, rnd):
    for word, kind in (("is_tor_exit_node", "tor"), ("is_anonymous_vpn", "vpn"), ("is_satellite_provider", "satellite"),
                       ("is_hosting_provider", "hosting")):
        if marks.get(word):
            return kind
    for kind, numbers in KNOWN.items():
        if asn in numbers:
            return kind
    u = rnd.random()
    return "corporate" if u < .05 else "mobile" if u < .35 else "fixed"


class RealWorld(places.World):
    """The same questions, answered from databases. Nothing is written: the scorer is given the same files."""

    def __init__(self, rnd, files, samples=SAMPLES):
        self.nets, self.by_kind, self.access, self.readers = [], {}, {}, [Reader(file) for file in files]
        self.lon, systems, kinds = {}, {}, {}
        for _ in range(samples):
            self._sample(rnd, systems, kinds)
        self.nets = [systems[key] for key in sorted(systems)]
        for net in self.nets:
            self.by_kind.setdefault(net.kind, []).append(net)
        self._people()
        for kind in ("hosting", "vpn", "tor", "relay", "satellite", "corporate", "mobile", "fixed"):
            if not self.by_kind.get(kind):  # the databases do not tell: the rarest systems stand in
                self.by_kind[kind] = sorted(self.nets, key=lambda net: len(net.blocks))[:10]
        if not self.by_kind.get("dark"):
            dark = places.Net(0, "unknown", "", "dark")
            dark.blocks = [places.Block(dark, 0x0a000000 + (n << 16), 12, f"fd00:{n:x}:1", ("", "", 0.0, 0.0), 1000, False)
                           for n in range(10)]
            self.by_kind["dark"] = [dark]

    def _facts(self, text):
        facts, depth = {}, 0
        for reader in self.readers:
            found, length = reader.look(text)
            depth = max(depth, length)
            for key, value in (found or {}).items():
                facts.setdefault(key, value)
        facts.update({k: v for k, v in facts.get("traits", {}).items() if k not in facts})
        return facts, depth

    def _sample(self, rnd, systems, kinds):
        number = (1 + int(rnd.random() * 222) << 24) + rnd.getrandbits(24)
        facts, depth = self._facts(str(ipaddress.ip_address(number)))
        spot, country = facts.get("location", {}), facts.get("country", {}).get("iso_code")
        if number >> 24 in (10, 127) or not country or "latitude" not in spot or depth > 29:
            return
        asn = facts.get("autonomous_system_number") or int(country.encode().hex(), 16) * 4096 + (number >> 20)
        key = (asn, country)
        if key not in systems:
            kinds.setdefault(asn, _kind(asn, facts, rnd))
            systems[key] = places.Net(asn, facts.get("autonomous_system_organization", ""), country, kinds[asn])
        net, room = systems[key], 32 - depth
        city = facts.get("city", {}).get("names", {}).get("en", "")
        if all(b.base != number >> room << room for b in net.blocks):
            v6 = f"2a00:{asn >> 16 & 0xffff:x}:{asn & 0xffff:x}"
            net.blocks.append(places.Block(net, number >> room << room, room, v6, (
                city, country, spot["latitude"], spot["longitude"]), spot.get("accuracy_radius", 0)))

    def _people(self):
        shares = {row[0]: row[1] for row in places.COUNTRIES}
        for code in sorted({net.country for net in self.nets}):
            nets = [n for n in self.nets if n.country == code and n.kind in ("fixed", "mobile")]
            nets.sort(key=lambda net: (-len(net.blocks), net.asn))
            if nets and code in shares:
                weights = [1 / (n + 1) for n in range(len(nets))]
                if code in places.LEADING:
                    rest = sum(weights[1:]) or 1
                    weights = [places.LEADING[code]] + [w / rest * (1 - places.LEADING[code]) for w in weights[1:]]
                self.access[code] = places.Weighted(list(zip(nets, weights)))
                self.lon[code] = nets[0].blocks[0].lon
        if len(self.access) < 5:
            raise ValueError("the databases know too few countries to make a world of")
        self.codes = sorted(self.access)
        self.people = places.Weighted([(code, shares[code]) for code in self.codes])

    def tell(self):
        return ()
