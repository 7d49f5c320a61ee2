# SPDX-License-Identifier: Apache-2.0
"""Who breaks in: with a password (logins) and with a stolen cookie (sessions).

What gives an attack away is told by comparing the two contexts (`causes`). A signal that is named first is right where its
name holds a word of one of these causes."""
import people

CAUSES = {
    "network": ("asn", "country", "network", "prefix", "address", "travel", "anonymous", "place"),
    "device": ("fingerprint", "agent", "device", "browser", "os-", "ja4"),
    "tool": ("tool",),
    "hour": ("hour",),
    "both-at-once": ("concurrent", "two-", "simultaneous", "both"),
    "pace": ("rate",),
    "source": ("source",),
}


def causes(known, theirs, *more):
    """What an attack changed, against what the user does: that is what was injected. known None: there is no history."""
    out = list(more)
    if known is None or known.ip != theirs.ip:
        out.append("network")
    if known is None or (known.device.fingerprint, known.device.agent) != (theirs.device.fingerprint, theirs.device.agent):
        out.append("device")
    if theirs.device.form == "bot" and (known is None or known.device.form != "bot"):
        out.append("tool")
    return tuple(out)


def cause_named(signal, causes):
    return any(word in signal for cause in causes for word in CAUSES[cause])


def rare_block(world, rnd):
    u = rnd.random()
    if u < .5:
        return world.kind_block(rnd, "hosting")
    if u < .7:
        return world.kind_block(rnd, "vpn")
    if u < .85:
        return world.kind_block(rnd, "tor")
    systems = world.access[rnd.choice(world.codes[10:] or world.codes)].items
    return rnd.choice(rnd.choice(systems[5:] or systems).blocks)


def somebody(population, rnd):
    """Where and with what somebody logs in, by how many logins they have: their address, and a browser as theirs is, on
    another machine. Whoever breaks in has a fingerprint of their own."""
    user = population.draw(rnd)
    there = user.logins[int(rnd.random() * len(user.logins))][1]
    return there.by(there.device.like(rnd.getrandbits(48)))


# ---- With a password -----------------------------------------------------------------------------
# (world, population, rnd, what the user does) -> the attacker's context


def naive(world, population, rnd, known):
    return somebody(population, rnd)


def vpn(world, population, rnd, known):
    """Knows the country, and takes an address there as others have one."""
    other = somebody(population, rnd)
    block = world.access_block(rnd, known.block.country)
    return people.Context(block.address(rnd), block, other.device)


def targeted(world, population, rnd, known):
    """Knows provider and browser, and bought a copy of the browser's profile."""
    block = rnd.choice([b for b in known.block.net.blocks if b.country == known.block.country])
    return known.at(block.address(rnd), block)


def rare_infrastructure(world, population, rnd, known):
    block = rare_block(world, rnd)
    device = people.new_device(rnd, people.RARE_AGENTS if rnd.random() < .7 else people.TOOLS)
    return people.Context(block.address(rnd), block, device)


LOGINS = {"naive": naive, "vpn": vpn, "targeted": targeted, "rare-infrastructure": rare_infrastructure}


def poisoning(world, population, rnd, known):
    """From what the user does, step by step, to what the attacker has: the steps, of which the last is the attack."""
    own = somebody(population, rnd)
    near = targeted(world, population, rnd, known)
    there = vpn(world, population, rnd, known)
    mine = own.device
    return [near, near, near.by(mine), near.by(mine), there.by(mine), there.by(mine), own.by(mine)]


STUFFING = "credential-stuffing"


class Stuffing:
    """One campaign: a list of names and passwords tried from one /24, until some fit. Hosting, a VPN, or the line of somebody
    who does not know; a script that says so, or one that calls itself a browser and shakes hands as what it is."""
    TRIES, HITS, FEWEST = 150, 6, 20  # of which so many fit, none before so many have failed
    LASTS_MS = 2 * 3_600_000

    def __init__(self, world, population, rnd):
        u = rnd.random()
        if u < .6:
            block = world.kind_block(rnd, "hosting" if u < .4 else "vpn")
        else:
            block = somebody(population, rnd).block
        own = people.new_device(rnd, people.TOOLS)
        shown = own if rnd.random() < .5 else people.new_device(rnd, form=("desktop",))
        self.device = people.Device(shown.kind, shown.version, own.mark, shown.screen, truly=own.kind)
        self.block, self.home = block, block.address(rnd)
        hits = set(rnd.sample(range(self.FEWEST, self.TRIES), self.HITS))
        self.tries = [(int(n / self.TRIES * self.LASTS_MS) + int(rnd.random() * 20_000), n in hits) for n in range(self.TRIES)]

    def context(self, rnd):
        """Another address of the same /24 each time."""
        a, b, c, _ = self.home.split(".")
        return people.Context(f"{a}.{b}.{c}.{1 + int(rnd.random() * 254)}", self.block, self.device)


# ---- With a cookie -------------------------------------------------------------------------------


def session_naive(world, population, rnd, known):
    """Another address and another browser: what most thieves have."""
    while True:
        other = somebody(population, rnd)
        if other.asn != known.asn and other.device.form != "bot":
            return other


def session_vpn(world, population, rnd, known):
    while True:
        there = vpn(world, population, rnd, known)
        if there.device.form != "bot":
            return there


def session_tool(world, population, rnd, known):
    there = targeted(world, population, rnd, known) if rnd.random() < .5 else somebody(population, rnd)
    return there.by(people.new_device(rnd, people.TOOLS))


def session_rare(world, population, rnd, known):
    """A rare network, with the owner's browser copied by every second thief."""
    block = rare_block(world, rnd)
    device = known.device if rnd.random() < .5 else people.new_device(rnd, people.RARE_AGENTS)
    return people.Context(block.address(rnd), block, device)


def session_replay(world, population, rnd, known):
    """The cookie from the same provider: the header is copied, all that a script can measure is the thief's own."""
    own, shown = people.new_device(rnd, form=("desktop",)), known.device
    mine = people.Device(shown.kind, shown.version, own.mark, own.screen, truly=own.kind)
    return targeted(world, population, rnd, known).by(mine)


def session_fingerprint(world, population, rnd, known):
    """The browser copied to the last bit, from an address of another system; of another country half the time."""
    while True:
        block = world.access_block(rnd, known.block.country) if rnd.random() < .5 else somebody(population, rnd).block
        if block.net is not known.block.net:
            return known.at(block.address(rnd), block)


SESSIONS = {"naive": session_naive, "vpn": session_vpn, "targeted": targeted, "rare-infrastructure": session_rare,
            "tool-agent": session_tool, "cookie-replay": session_replay, "same-fingerprint": session_fingerprint}
