#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The replay of recorded cloud events: what of a recording is asked, and that its figures add up. With the recording itself
where it lies (PDP_SHARED), else with a small one alone. Says nothing of how high scores are: that is the scorer's business."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import cloudtrail

RECORDING = pathlib.Path(os.environ.get("PDP_SHARED", "/nowhere")) / "data/attacks/cloudtrail-invictus.jsonl.gz"
BROWSER, TOOL = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0", "[aws-sdk-go/1.44]"


def recorded(second, ip, agent, key="K1", event="ListBuckets", principal="arn:aws:iam::1:user/ann"):
    return {"time": f"2023-07-10T12:00:{second:02}Z", "ip": ip, "user_agent": agent, "event": event, "source": "s3.amazonaws.com",
            "region": "us-east-1", "error": None, "access_key": key, "principal": principal}


SMALL = [recorded(0, "10.8.8.10", BROWSER), recorded(0, "10.8.8.10", BROWSER), recorded(1, "s3.amazonaws.com", "s3.amazonaws.com", "K2"),
         recorded(2, "10.8.8.10", BROWSER, None, "ConsoleLogin"), recorded(9, cloudtrail.ATTACKER, TOOL, event="DeleteBucket"),
         recorded(11, cloudtrail.ATTACKER, TOOL), recorded(12, "10.8.8.10", BROWSER, "K3")]


class Lines(unittest.TestCase):
    def test_the_events_of_a_second_are_spread_over_it(self):
        at = cloudtrail.times(SMALL)
        self.assertEqual([ms - at[0] for ms in at[:3]], [0, 500, 1000])

    def test_services_are_not_asked_for(self):
        self.assertEqual([cloudtrail.asked_from_outside(event) for event in SMALL[1:4]], [True, False, True])

    def test_whose_it_is(self):
        names = {"arn:aws:iam::1:user/ann": "user/ann", "arn:aws:sts::1:assumed-role/admin/i-0dbc": "admin/i-0dbc", None: "nobody"}
        for principal, name in names.items():
            self.assertEqual(cloudtrail.whose({"principal": principal}), name)

    def test_a_session_is_a_key_or_an_identity(self):
        for view, name in (("key", "K1"), ("identity", "user/ann")):
            session, text = cloudtrail.line(1, 5, SMALL[4], view)
            self.assertEqual(session, name)
            body = json.loads(text)["request"]
            self.assertEqual(body["action"]["name"], "s3:DeleteBucket")
            self.assertEqual(body["context"]["device"]["user_agent"], TOOL.strip("[]"))
        self.assertEqual(json.loads(cloudtrail.line(1, 5, SMALL[3], "key")[1])["event"]["type"], "login")


@unittest.skipUnless(os.environ.get("PDP_BIN"), "PDP_BIN names no folder of programs")
class Whole(unittest.TestCase):
    def run_on(self, recording):
        with tempfile.TemporaryDirectory() as folder:
            svg, made = (pathlib.Path(folder) / name for name in ("plot.svg", "made.json"))
            done = subprocess.run([sys.executable, "-B", cloudtrail.HERE / "cloudtrail.py", "--events", recording, "--pdpctl",
                                   pathlib.Path(os.environ["PDP_BIN"]) / "pdpctl", "--svg", svg, "--json", made],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            plot = xml.dom.minidom.parse(str(svg))
            return done.stdout, json.loads(made.read_text()), plot

    def test_a_small_one(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "small.jsonl"
            file.write_text("".join(json.dumps(event) + "\n" for event in SMALL))
            text, made, plot = self.run_on(file)
        self.assertIn("7 events, 6 of them from outside, 2 from the attacker's machine", text)
        keys = {row["session"]: row for row in made["key"]}
        self.assertEqual({name: (row["attack"], row["questions"]) for name, row in keys.items()},
                         {"K1": (True, 2), "K3": (False, 1)})
        self.assertEqual(keys["K1"]["why"][0]["id"], "tool-agent")
        self.assertEqual(keys["K1"]["reached"]["medium"], [1, 0])
        self.assertEqual([row["questions"] for row in made["identity"]], [2])
        self.assertGreater(len(plot.getElementsByTagName("path")) + len(plot.getElementsByTagName("circle")), 10)

    def test_the_recording(self):
        if not RECORDING.exists():
            self.skipTest("the recording is not there")
        text, made, _ = self.run_on(RECORDING)
        self.assertIn("2900 events, 2547 of them from outside, 2154 from the attacker's machine", text)
        self.assertEqual(sum(row["attack"] for row in made["key"]), 7)
        self.assertEqual(sum(row["questions"] for row in made["key"] if row["attack"]), 2153)
        again, _, _ = self.run_on(RECORDING)
        self.assertEqual(again, text)


if __name__ == "__main__":
    unittest.main()
