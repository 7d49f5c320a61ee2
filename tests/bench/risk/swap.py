# SPDX-License-Identifier: Apache-2.0
"""The innocent that needs two databases: sessions in the middle of which the geo data is replaced, while nobody moves.

A replay reads its databases once, so this one asks a `pdpd --simulate` of its own, which loads others half way."""
import pathlib
import subprocess
import time

import drive
import lines
import people
import places


def moved(world, rnd):
    """Another release: a third of the blocks lie elsewhere in their country, one of twenty abroad, radii are drawn anew.
    Returns what puts the world back."""
    before = []
    for net in world.nets:
        for block in net.blocks:
            before.append((block, block.city, block.country, block.lat, block.lon, block.radius))
            u = rnd.random()
            code = rnd.choice(places.COUNTRIES)[0] if u < .05 else block.country
            if u < .35:
                block.city, block.country, block.lat, block.lon = rnd.choice(world.cities[code])
                block.radius = rnd.choice((5, 10, 20, 50, 100, 200, 1000))

    def back():
        for block, city, country, lat, lon, radius in before:
            block.city, block.country, block.lat, block.lon, block.radius = city, country, lat, lon, radius
    return back


class Daemon:
    def __init__(self, programs, policies, geo, folder):
        self.decide, self.admin = (f"ipc://{folder}/{name}" for name in ("decide", "admin"))
        self.pdpctl, log = programs / "pdpctl", folder / "log"
        words = [word for file in geo for word in ("--geo", str(file))]
        self.process = subprocess.Popen([programs / "pdpd", "--policies", policies, "--decide", self.decide, "--admin", self.admin,
                                         "--workers", "1", "--simulate", *words], stderr=open(log, "wb"))
        until = time.monotonic() + 60
        while b"event=ready" not in log.read_bytes():
            if self.process.poll() is not None or time.monotonic() > until:
                self.process.kill()
                raise RuntimeError(f"pdpd does not become ready: {log.read_text()}")
            time.sleep(.02)

    def reload(self):
        subprocess.run([self.pdpctl, "reload", "--connect", self.admin], check=True, stdout=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        self.process.wait()


def run(made, programs, policies, folder, count):
    """{sessions, challenged, ended} of `count` sessions of people at home, each asked 20 times before and 20 times after."""
    rnd, folder = made.rnd("swap"), pathlib.Path(folder).resolve()
    geo = drive.databases(made.world, folder / "geo")
    daemon = Daemon(pathlib.Path(programs).resolve(), policies, geo, folder)
    ctl = None
    try:
        ctl = drive.Pdpctl(daemon.pdpctl, None, (), connect=daemon.decide)
        whose = [(user, user.logins[0][1]) for user in (rnd.choice(made.users) for _ in range(count))]
        asker, at = drive.Run(ctl), people.START
        challenged, ended = set(), set()
        ctl.ask_all([lines.login(at, f"in{n}", user.name, f"swap{n}", context) for n, (user, context) in enumerate(whose)])

        def request(n, user, context, at):
            who = (user.name, f"swap{n}", context, people.START // 1000)
            answer, = yield [lines.question(at, asker._n(), *who)]
            effect = drive.verdict(answer)[1]
            challenged.update([n] if effect == "step_up" else [])
            ended.update([n] if effect in ("terminate", "deny") else [])
            if effect == "step_up":
                yield asker._proof(at, *who)

        for turn in range(40):
            if turn == 20:
                put_back = moved(made.world, rnd)
                drive.databases(made.world, folder / "geo")
                put_back()
                daemon.reload()
            at += 20_000
            for n, (user, context) in enumerate(whose):
                if turn >= 20 and n % 2 and rnd.random() < .1:  # every second one gets other addresses of their block now and then
                    whose[n] = user, context.at(context.block.address(rnd))
            asker.together([request(n, *whose[n], at) for n in range(count) if n not in ended])
        return {"sessions": count, "challenged": len(challenged), "ended": len(ended)}
    finally:
        if ctl:
            ctl.close()
        daemon.close()
