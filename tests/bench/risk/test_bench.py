#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The measure measured: figures of known scores, baselines by hand, a generator that repeats itself to the byte, and a
small run from end to end with the programs in PDP_BIN. Seconds only; `bench_risk` of ctest."""
import hashlib
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import attackers
import baselines
import drive
import innocents
import lines
import metrics
import people
import places
import plan
import realgeo
import report


class Metrics(unittest.TestCase):
    def test_area_of_known_scores(self):
        self.assertEqual(metrics.auc([1, 2, 3], [4, 5]), 1)
        self.assertEqual(metrics.auc([4, 5], [1, 2, 3]), 0)
        self.assertEqual(metrics.auc([1, 1], [1]), .5)
        # 2 is above 1 and ties with 2; 0 is above nothing: (1.5 + 0) / 4
        self.assertEqual(metrics.auc([1, 2], [2, 0]), .375)

    def test_a_budget_is_never_exceeded(self):
        legit = list(range(1000))
        self.assertEqual(metrics.threshold(legit, .01), 989)
        self.assertEqual(metrics.share_above(legit, metrics.threshold(legit, .01)), .01)
        self.assertEqual(metrics.detection(legit, [989, 990, 2000, 5], .01), .5)
        # A rule that strikes 2 % of the rightful has nothing to say at 1 %, and its say at 5 %.
        rule = [1.0] * 2 + [0.0] * 98
        self.assertEqual(metrics.detection(rule, [1.0, 0.0], .01), 0)
        self.assertEqual(metrics.detection(rule, [1.0, 0.0], .05), .5)

    def test_intervals_hold_the_figure(self):
        rnd = random.Random(3)
        row = metrics.judge(metrics.Rightful([rnd.gauss(0, 1) for _ in range(2000)]), [rnd.gauss(2, 1) for _ in range(200)], rnd)
        self.assertAlmostEqual(row["auc"], .921, delta=.03)  # Φ(2/√2)
        self.assertTrue(row["auc_interval"][0] < row["auc"] < row["auc_interval"][1])
        self.assertTrue(row["found_interval"]["0.05"][0] < row["found"]["0.05"] < row["found_interval"]["0.05"][1])
        self.assertLess(row["auc_interval"][1] - row["auc_interval"][0], .08)
        self.assertIsNone(metrics.judge(metrics.Rightful([]), [1], rnd))

    def test_calibration_error_by_hand(self):
        # Ten at .25 of which four are attacks, ten at .75 of which eight are: gaps .15 and .05, the mean .1.
        rows = [(.25, n < 4, 1) for n in range(10)] + [(.75, n < 8, 1) for n in range(10)]
        self.assertAlmostEqual(metrics.calibration(rows), .1)
        self.assertEqual(metrics.calibration([(.5, True, 1), (.5, False, 1)]), 0)

    def test_platt_finds_the_truth(self):
        rnd = random.Random(4)
        said = [rnd.uniform(.02, .98) for _ in range(20_000)]
        rows = [(p, rnd.random() < 1 / (1 + math.exp(-(.5 * metrics.logit(p) - 1))), 1) for p in said]
        a, b = metrics.platt(rows)
        self.assertAlmostEqual(a, .5, delta=.05)
        self.assertAlmostEqual(b, -1, delta=.05)
        self.assertLess(metrics.calibration(metrics.fitted(rows, a, b)), metrics.calibration(rows) / 4)

    def test_who_belongs_together_says_less(self):
        rnd = random.Random(7)
        who = [n // 50 for n in range(2000)]
        taste = [rnd.gauss(0, 1) for _ in range(40)]
        legit = [taste[user] + rnd.gauss(0, .3) for user in who]
        attacks = [rnd.gauss(1, 1) for _ in range(300)]
        alone, together = (metrics.judge(metrics.Rightful(legit, users), attacks, random.Random(1)) for users in (None, who))
        self.assertEqual(alone["auc"], together["auc"])
        for key in ("auc_interval", "found_interval"):
            a, b = ([row["0.05"] for row in (alone[key], together[key])] if key == "found_interval" else (alone[key], together[key]))
            self.assertGreater(b[1] - b[0], 1.2 * (a[1] - a[0]), key)
        self.assertLess(metrics.as_good_as([n // 50 % 4 == 0 for n in range(2000)], who), 100)
        self.assertEqual(metrics.as_good_as([True] * 10, range(10)), 10)

    def test_ahead_of_another(self):
        rnd = random.Random(9)
        legit = [metrics.Rightful([rnd.gauss(0, 1) for _ in range(1000)]) for _ in range(2)]
        attacks = [[rnd.gauss(mean, 1) for _ in range(200)] for mean in (2.5, 1)]
        rows = metrics.ahead((legit[0], attacks[0]), (legit[1], attacks[1]), rnd, range(200))
        self.assertTrue(all(low <= gap <= high for gap, low, high in rows.values()))
        self.assertGreater(rows["auc"][1], .1)
        same = metrics.ahead((legit[0], attacks[0]), (legit[0], attacks[0]), rnd, range(200))
        self.assertEqual(same["auc"][0], 0)

    def test_shares_of_which_all_hit(self):
        self.assertEqual(metrics.around(75, 75)[1], 1)
        self.assertAlmostEqual(metrics.around(75, 75)[0], .952, delta=.001)  # (1/40)^(1/75)
        low, high = metrics.around(4, 10)
        self.assertAlmostEqual(low, .1216, delta=.001)
        self.assertAlmostEqual(high, .7376, delta=.001)

    def test_calibration_interval_holds_the_error(self):
        rnd = random.Random(5)
        rows = [(.1, rnd.random() < .2, 1) for _ in range(4000)]
        low, high = metrics.calibration_interval(rows, [n // 4 for n in range(4000)], rnd)
        self.assertTrue(low < metrics.calibration(rows) < high)
        self.assertLess(high - low, .06)

    def test_none_in_so_many(self):
        self.assertAlmostEqual(metrics.at_most(0, 10_000) * 10_000, 3.0, delta=.01)
        self.assertAlmostEqual(metrics.at_most(1, 10_000) * 10_000, 4.74, delta=.01)

    def test_percentiles(self):
        self.assertEqual(metrics.percentile([3, 1, 2], .5), 2)
        self.assertEqual(metrics.percentile(list(range(1, 101)), .95), 95)
        self.assertIsNone(metrics.percentile([], .5))


def network(number, country, kind="fixed", lat=0.0, lon=0.0, known=True):
    net = places.Net(number, "", country, kind)
    net.blocks.append(places.Block(net, number << 16, 16, f"2a00:{number:x}:1", ("", country, lat, lon), 10, known))
    return net.blocks[0]


class Somebody:
    def __init__(self, name):
        self.name = name


PHONE = people.Device(("mobile", "Android", "Chrome"), 122, 1, "390x844")
MACBOOK = people.Device(("desktop", "Mac", "Safari"), 15, 2, "1920x1080")
OSLO, BERGEN = network(1, "NO", lat=59.9, lon=10.7), network(5, "NO", lat=60.4, lon=5.3)
BOSTON, EXIT = network(2, "US", lat=42.4, lon=-71.1), network(3, "US", "vpn", 42.4, -71.1)
DARK = network(4, "NO", "dark", known=False)
ALICE, BOB = Somebody("alice"), Somebody("bob")
HOUR = 3_600_000


def seen(block, device=PHONE, host=1):
    return people.Context(f"{block.net.asn}.0.0.{host}", block, device)


class Baselines(unittest.TestCase):
    def taught(self, method):
        for user, context in ((ALICE, seen(OSLO)), (ALICE, seen(OSLO)), (BOB, seen(BOSTON, MACBOOK))):
            method.learn(user, context, 0)
        return method

    def test_freeman_by_hand(self):
        freeman = self.taught(baselines.Freeman())
        # Of everybody 1/3 (1 − 2/5) = .2 at each level, for alice 1/(2 + 1) of it: 3 by 3, and 1/2 : 2/3 for who she is.
        self.assertAlmostEqual(freeman.login(ALICE, seen(BOSTON, MACBOOK), 1), math.log(9 * .75))
        # Of everybody 2/3 (1 − 2/5) = .4, of alice 2/2 (1 − 1/3) = 2/3: .6 by .6.
        self.assertAlmostEqual(freeman.login(ALICE, seen(OSLO), 1), math.log(.36 * .75))
        # A new address of a known system. Everybody: .6/5 + .4 · 2/3·… with 1/(2 + 1) for an address not seen under it.
        everybody = .6 * .2 + .4 * (1 / 3) * .4
        alices = .6 * .2 / 3 + .4 * (1 / 3) * (2 / 3)
        self.assertAlmostEqual(freeman.login(ALICE, seen(OSLO, host=9), 1), math.log(everybody / alices * .6 * .75))
        self.assertEqual(freeman.login(Somebody("carol"), seen(OSLO), 1), baselines.NOT_SCORED)

    def test_to_the_letter_what_is_rare_is_safe(self):
        for method, safer in ((baselines.Freeman(), False), (baselines.FreemanToTheLetter(), True)):
            self.taught(method)
            for _ in range(20):
                method.learn(BOB, seen(BOSTON, MACBOOK), 0)
            rare, common = (method.login(ALICE, seen(block, MACBOOK), 1) for block in (network(9, "ZZ"), BOSTON))
            self.assertEqual(rare < common - 1e-9, safer)

    def test_points(self):
        points = self.taught(baselines.Points())
        self.assertEqual(points.login(ALICE, seen(OSLO), HOUR), 0)
        self.assertEqual(points.login(ALICE, seen(OSLO, MACBOOK), HOUR), 35)
        self.assertEqual(points.login(ALICE, seen(BOSTON), 240 * HOUR), 70)
        self.assertEqual(points.login(ALICE, seen(BOSTON), 5 * HOUR), 100)

    def test_authentik_and_its_four_bugs(self):
        right, was = self.taught(baselines.Authentik()), self.taught(baselines.AuthentikAsItWas())
        far = places.distance_km(OSLO, BOSTON)  # 5,600 km
        for method, quick, slow in ((right, 1, 0), (was, 0, 0)):
            self.assertEqual(method.login(ALICE, seen(BOSTON), HOUR), quick)
            self.assertEqual(method.login(ALICE, seen(BOSTON), 10 * HOUR), slow)
        # A day is called an hour, and only what lies close to the limit strikes.
        close = int(far / 1000 * 86_400_000)
        self.assertEqual(was.login(ALICE, seen(BOSTON), close), 1)
        self.assertEqual(right.login(ALICE, seen(BOSTON), close), 0)
        # Its own tolerance: Bergen is 300 km from Oslo; after an hour nobody minds, at once only the right one does.
        self.assertEqual(right.login(ALICE, seen(BERGEN), 1000), 1)
        self.assertEqual(right.login(ALICE, seen(BERGEN), HOUR), 0)
        # What is missing lies at 0, 0, which is a journey.
        nowhere = int(places.distance_km(OSLO, was.NOWHERE) / 1000 * 86_400_000)
        self.assertEqual(was.login(ALICE, seen(DARK), nowhere), 1)
        self.assertEqual(right.login(ALICE, seen(DARK), 1000), 0)

    def test_panther(self):
        panther = self.taught(baselines.Panther())
        self.assertEqual(panther.login(ALICE, seen(BOSTON), HOUR), 1)
        self.assertEqual(panther.login(ALICE, seen(EXIT), HOUR), 0)
        self.assertEqual(panther.login(ALICE, seen(DARK), HOUR), 0)
        session = object()
        self.assertEqual(panther.request(session, seen(OSLO), 0), 0)
        self.assertEqual(panther.request(session, seen(BOSTON), 1), 0)
        self.assertEqual(panther.request(session, seen(OSLO, MACBOOK), 2), 0)
        self.assertEqual(panther.request(session, seen(BOSTON, MACBOOK), 3), 1)
        self.assertEqual(panther.request(session, seen(BOSTON, PHONE.updated()), 4), 0)


class Generator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plan = plan.Plan(1, 1200, 48)

    @staticmethod
    def digest(made):
        out = hashlib.sha256()
        for line, label in lines.script(made):
            out.update(f"{line}{label}".encode())
        return out.hexdigest()

    def test_a_seed_gives_the_same_bytes(self):
        small = [self.digest(plan.Plan(seed, 60, 24)) for seed in (5, 5, 6)]
        self.assertEqual(small[0], small[1])
        self.assertNotEqual(small[0], small[2])

    def test_every_line_is_json_and_in_order(self):
        before = 0
        for line, _ in lines.script(plan.Plan(2, 60, 24)):
            read = json.loads(line)
            body = read.get("request") or read["event"]
            self.assertIn("ip", body["context"]["network"])
            self.assertTrue({"fingerprint", "user_agent", "components"} <= set(body["context"]["device"]))
            self.assertGreater(read["at"], before - 125_000)  # clock-back is two minutes at most
            before = max(before, read["at"])

    def test_every_attacker_and_innocent_is_there(self):
        labels = [label for _, label in lines.script(self.plan) if label]
        self.assertEqual({n for kind, attack, n, *_ in labels if kind == "login" and attack}, {*attackers.LOGINS, "slow-poisoning", attackers.STUFFING})
        sessions = {step[3].attacker or step[3].kind for step in self.plan.steps if step[2] == "begin"}
        self.assertEqual(sessions, {*innocents.ALL, *attackers.SESSIONS})
        self.assertEqual({*attackers.LOGINS, *attackers.SESSIONS, "slow-poisoning"}, {
            "naive", "vpn", "targeted", "rare-infrastructure", "cookie-replay", "same-fingerprint", "slow-poisoning", "tool-agent"})
        self.assertEqual({*innocents.ALL, innocents.SWAPPED}, {
            "plain", "carrier-nat", "split-tunnel", "wifi-cellular", "ipv6-privacy", "dual-stack", "corporate-egress",
            "private-relay", "satellite", "auto-update", "geo-swap", "missing-geo", "clock-back"})
        self.assertEqual(set(attackers.SESSIONS) - {"cookie-replay", "same-fingerprint", "tool-agent"}, set(attackers.LOGINS))
        for name in attackers.SESSIONS:
            self.assertTrue(any(attack for kind, attack, n, *_ in labels if kind == "request" and n == name), name)

    def test_credential_stuffing_fails_first_and_often_from_one_source(self):
        failed, hits = {}, 0
        for _, _, what, *who in self.plan.steps:
            if what == "failed":
                net = who[1].ip.rpartition(".")[0]
                failed.setdefault(net, set()).add(who[0])
            elif what == "break-in" and who[0].attacker == attackers.STUFFING:
                hits += 1
                self.assertGreaterEqual(len(failed[who[0].context.ip.rpartition(".")[0]]), 15)
                self.assertIn("source", who[0].causes)
        self.assertEqual(hits % attackers.Stuffing.HITS, 0)
        self.assertGreater(hits, 0)

    def test_innocents_alone(self):
        alone = plan.Plan(3, 72, 60, attacked=False)
        self.assertEqual({step[2] for step in alone.steps}, {"login", "failed", "begin", "request"})
        self.assertTrue(all(step[3].attacker is None for step in alone.steps if step[2] == "begin"))
        begun = [step[3].user.name for step in alone.steps if step[2] == "begin"]
        self.assertEqual(len(begun), 60)
        self.assertEqual(len(set(begun)), 60)

    def test_classes_of_users(self):
        found = {(a.attacker, people.class_of(a.history)) for _, _, what, a, *_ in self.plan.steps if what == "break-in"}
        for name in attackers.LOGINS:
            self.assertTrue({(name, kind) for kind in report.CLASSES} <= found, name)

    def test_sessions_are_of_the_length_and_hijacked_somewhere(self):
        sessions = [step[3] for step in self.plan.steps if step[2] == "begin"]
        self.assertTrue(all(plan.FEWEST <= len(s.requests) <= plan.MOST for s in sessions))
        for s in sessions:
            thieves = [n for n, request in enumerate(s.requests) if request[2]]
            self.assertEqual(bool(thieves), s.attacker is not None)
            self.assertTrue(not thieves or 5 <= thieves[0] <= len(s.requests) - 7)
        self.assertGreater(len({next(n for n, r in enumerate(s.requests) if r[2]) for s in sessions if s.attacker}), 5)

    def test_shape_is_that_of_the_data_set(self):
        shape = people.shape(self.plan.users)
        self.assertEqual(shape["median"], 2)
        for key, value, within in (("single", .397, .04), ("p90", 9, 2), ("p99", 28, 8), ("new_country", people.NEW_COUNTRY, .05),
                                   ("new_asn", people.NEW_ASN, .06), ("new_agent", people.NEW_AGENT, .08)):
            self.assertAlmostEqual(shape[key], value, delta=within, msg=key)
        self.assertAlmostEqual(shape["forms"]["mobile"], .65, delta=.06)
        self.assertAlmostEqual(shape["country_shares"]["NO"], .42, delta=.07)
        self.assertAlmostEqual(shape["asn_shares"][0], .28, delta=.06)
        self.assertAlmostEqual(shape["asn_shares"][1], .21, delta=.05)
        self.assertLess(shape["asn_shares"][2], .05)

    def test_blocks_do_not_overlap_and_addresses_lie_in_them(self):
        blocks = sorted((b.base, b.base + (1 << b.room)) for net in self.plan.world.nets for b in net.blocks)
        self.assertTrue(all(a[1] <= b[0] for a, b in zip(blocks, blocks[1:])))
        self.assertEqual(len({b.v6 for net in self.plan.world.nets for b in net.blocks}), len(blocks))
        rnd = random.Random(1)
        for net in self.plan.world.nets[::20]:
            a, b, c, d = map(int, net.blocks[0].address(rnd).split("."))
            n = (a << 24) + (b << 16) + (c << 8) + d
            self.assertTrue(net.blocks[0].base < n < net.blocks[0].base + (1 << net.blocks[0].room))

    def test_causes_are_told_apart(self):
        self.assertTrue(attackers.cause_named("fingerprint-change", ("device",)))
        self.assertTrue(attackers.cause_named("impossible-travel", ("network", "tool")))
        self.assertFalse(attackers.cause_named("fingerprint-change", ("network",)))
        self.assertFalse(attackers.cause_named("", ("network",)))


class Databases(unittest.TestCase):
    """The reader of real databases, against those that the bench writes itself."""

    def test_what_was_written_is_read(self):
        world = places.World(random.Random("1/places"))
        with tempfile.TemporaryDirectory() as folder:
            city, asn, anonymous = (realgeo.Reader(file) for file in drive.databases(world, folder))
            for net in world.nets[::25]:
                block = net.blocks[0]
                for address in (block.address(random.Random(1)), f"{block.v6}::7"):
                    place, length = city.look(address)
                    if not block.known:
                        self.assertIsNone(place)
                        continue
                    self.assertEqual(place["country"]["iso_code"], block.country)
                    self.assertEqual(place["location"], {"latitude": block.lat, "longitude": block.lon, "accuracy_radius": block.radius})
                    self.assertEqual(asn.look(address)[0]["autonomous_system_number"], net.asn)
                    self.assertEqual(set((anonymous.look(address)[0] or {})), set(places.MARKS.get(net.kind, [])))
                    self.assertGreaterEqual(length, 48 if ":" in address else 32 - block.room)
            self.assertEqual(city.look("10.1.2.3")[0], None)

    def test_a_world_of_databases(self):
        world = places.World(random.Random("1/places"))
        with tempfile.TemporaryDirectory() as folder:
            files = drive.databases(world, folder)
            worlds = [realgeo.RealWorld(random.Random(1), files, 20_000) for _ in range(2)]
        known = {net.asn: net for net in world.nets}
        self.assertGreater(len(worlds[0].nets), 50)
        for net in worlds[0].nets:
            self.assertTrue(all(b.country in {o.country for o in known[net.asn].blocks} for b in net.blocks))
        self.assertEqual({net.kind for net in worlds[0].by_kind["hosting"]}, {"hosting"})
        made = [plan.Plan(1, 40, 12, w) for w in worlds]
        self.assertEqual([Generator.digest(m) for m in made][0], Generator.digest(made[1]))


@unittest.skipUnless(os.environ.get("PDP_BIN"), "PDP_BIN names no folder of programs")
class EndToEnd(unittest.TestCase):
    def test_a_small_run(self):
        program = pathlib.Path(os.environ["PDP_BIN"]) / "pdpctl"
        with tempfile.TemporaryDirectory() as folder:
            bench = pathlib.Path(__file__).parent / "bench.py"
            run = subprocess.run([sys.executable, "-B", bench, "--users", "80", "--sessions", "24", "--pdpctl", program,
                                  "--out", folder, "--full", "--innocents", "24", "--jobs", "1"], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 0, run.stderr)
            made = json.loads((pathlib.Path(folder) / "report.json").read_text())
            self.assertEqual(set(made["thefts"]), set(attackers.SESSIONS))
            self.assertEqual(set(made["benign"]["kinds"]), {*innocents.ALL, innocents.SWAPPED})
            self.assertEqual(made["benign"]["kinds"][innocents.SWAPPED], {"sessions": 2, "challenged": 0, "ended": 0})
            self.assertEqual(sum(row["sessions"] for row in made["benign"]["kinds"].values()), 50)
            self.assertEqual(set(made["logins"]), {report.OURS, *baselines.everyone(1)})
            words = ("false terminations", "calibration error", "slow-poisoning", attackers.STUFFING, "targets are met")
            for word in (*attackers.LOGINS, *innocents.ALL, innocents.SWAPPED, *words):
                self.assertIn(word, run.stdout)
            labels = [json.loads(row) for row in (pathlib.Path(folder) / "labels.jsonl").read_text().splitlines()]
            same = subprocess.run([sys.executable, "-B", bench.parent / "compare.py", *[pathlib.Path(folder) / "report.json"] * 2],
                                  capture_output=True, text=True, check=True)
            self.assertEqual(same.stdout, "")
            tables = subprocess.run([sys.executable, "-B", bench.parent / "tables.py", pathlib.Path(folder) / "report.json"],
                                    capture_output=True, text=True, check=True)
            self.assertEqual(tables.stdout.count("|---"), 5 + 9 + 7 + 8 + 7 + 4)
            script = len((pathlib.Path(folder) / "script.jsonl").read_text().splitlines())
            self.assertTrue(all(0 < row["line"] <= script for row in labels))


if __name__ == "__main__":
    unittest.main()
