# SPDX-License-Identifier: Apache-2.0
"""What rightful users do that looks like a theft. Each is (world, rnd, user, base context, count) -> a context a request,
or pairs (context, by how many ms the clock is behind)."""
import people
import places


def _phone(world, rnd, user, base):
    device = base.device if base.device.form == "mobile" else people.new_device(rnd, form=("mobile",))
    block = world.access_block(rnd, user.country, "mobile")
    return people.Context(block.address(rnd), block, device)


def plain(world, rnd, user, base, count):
    return [base] * count


def carrier_nat(world, rnd, user, base, count):
    """A phone whose carrier gives it another address every few requests, from anywhere in the country."""
    here = _phone(world, rnd, user, base)
    out = []
    for _ in range(count):
        if rnd.random() < .25:
            block = rnd.choice(here.block.net.blocks) if rnd.random() < .3 else here.block
            here = here.at(block.address(rnd), block)
        out.append(here)
    return out


def split_tunnel(world, rnd, user, base, count):
    """Some requests go through a VPN, some do not; half of these VPNs end in another country."""
    block = world.kind_block(rnd, "vpn", None if rnd.random() < .5 else user.country)
    if rnd.random() < .4:
        block = world.kind_block(rnd, "corporate")
    tunnel = base.at(block.address(rnd), block)
    out, on = [], False
    for _ in range(count):
        on = not on if rnd.random() < .1 else on
        out.append(tunnel if on else base)
    return out


def wifi_cellular(world, rnd, user, base, count):
    away = _phone(world, rnd, user, base)
    home = base.by(away.device)
    out, on = [], False
    for _ in range(count):
        if rnd.random() < .05:
            on = not on
            away = away.at(away.block.address(rnd))
        out.append(away if on else home)
    return out


def ipv6_privacy(world, rnd, user, base, count):
    """Another interface identifier every few requests, now and then another /64."""
    lan = base.block.lan(rnd)
    here, out = base.at(places.host6(rnd, lan)), []
    for _ in range(count):
        if rnd.random() < .1:
            lan = base.block.lan(rnd) if rnd.random() < .1 else lan
            here = base.at(places.host6(rnd, lan))
        out.append(here)
    return out


def dual_stack(world, rnd, user, base, count):
    six = base.at(places.host6(rnd, base.block.lan(rnd)))
    return [six if rnd.random() < .5 else base for _ in range(count)]


def corporate_egress(world, rnd, user, base, count):
    """A thousand people of a company behind four addresses, each request by any of them."""
    block = world.by_kind["corporate"][0].blocks[0]
    n = block.base
    ways = [f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{(n & 255) + k}" for k in (1, 2, 3, 4)]
    device = base.device if base.device.form == "desktop" else people.new_device(rnd, form=("desktop",))
    managed = people.Context(ways[0], block, device, True)
    exits = [managed.at(ip) for ip in ways]
    return [exits[int(rnd.random() * 4)] for _ in range(count)]


def private_relay(world, rnd, user, base, count):
    """A relay of a browser's maker: other addresses, other operators, the same country."""
    mac = base.device if base.device.kind[2] == "Safari" else people.new_device(rnd, form=("tablet",))
    here, out = None, []
    for _ in range(count):
        if here is None or rnd.random() < .15:
            block = world.kind_block(rnd, "relay", user.country)
            here = people.Context(block.address(rnd), block, mac)
        out.append(here)
    return out


def satellite(world, rnd, user, base, count):
    """Comes down at another ground station every now and then, in another country at times."""
    net = rnd.choice(world.by_kind["satellite"])
    here, out = None, []
    for _ in range(count):
        if here is None or rnd.random() < .05:
            block = rnd.choice(net.blocks)
            here = base.at(block.address(rnd), block)
        out.append(here)
    return out


def auto_update(world, rnd, user, base, count):
    """The browser restarts as a later version; half of these updates change the fingerprint. A quarter are on a phone whose
    carrier gives it other addresses meanwhile, one of twenty beside a tunnel."""
    u = rnd.random()
    way = carrier_nat if u < .25 else split_tunnel if u < .30 else plain
    old = way(world, rnd, user, base, count)
    device = old[0].device if old[0].device.form != "bot" else people.new_device(rnd, form=("desktop", "mobile"))
    new = device.updated(rnd.getrandbits(48) if rnd.random() < .5 else None)
    at = 5 + int(rnd.random() * (count - 5))
    return [context.by(device if n < at else new) for n, context in enumerate(old)]


def missing_geo(world, rnd, user, base, count):
    """Now and then from a network that no database knows."""
    block = world.kind_block(rnd, "dark")
    dark, out, on = base.at(block.address(rnd), block), [], False
    for _ in range(count):
        on = not on if rnd.random() < .1 else on
        out.append(dark if on else base)
    return out


def clock_back(world, rnd, user, base, count):
    """A gateway whose clock is set back by up to two minutes, some times; and a phone that moves meanwhile."""
    away, out, behind = _phone(world, rnd, user, base), [], 0
    for n in range(count):
        if rnd.random() < .08:
            behind = int(rnd.random() * 120_000)
        out.append((away.by(base.device) if n % 20 > 14 else base, behind))
    return out


SWAPPED = "geo-swap"  # needs two databases, and so a daemon of its own: swap.py
ALL = {"plain": plain, "carrier-nat": carrier_nat, "split-tunnel": split_tunnel, "wifi-cellular": wifi_cellular,
       "ipv6-privacy": ipv6_privacy, "dual-stack": dual_stack, "corporate-egress": corporate_egress,
       "private-relay": private_relay, "satellite": satellite, "auto-update": auto_update, "missing-geo": missing_geo,
       "clock-back": clock_back}
