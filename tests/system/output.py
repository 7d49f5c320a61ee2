#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files that pdpctl writes: whole, where they belong, and nothing else touched. `output.py PDPCTL`.

What needs root (owners, devices) is left out for others.
"""
import os
import pathlib
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import threading

SECONDS = 60
NOBODY = 65534
GOOD = "a: b\nc:\n  - d # why\n"
MIXED = "a:  b\nc:\n- d # why\n"
failures = 0


def check(holds, what):
    global failures
    if not holds:
        failures += 1
        print(f"FAIL: {what}")


def run(*args, **more):
    done = subprocess.run([PDPCTL, *map(str, args)], capture_output=True, text=True, timeout=SECONDS, check=False, **more)
    return done.returncode, done.stdout, done.stderr


def says(args, code, out, err="", **more):
    got = run(*args, **more)
    check(got == (code, out, err), f"{args}: {got} instead of {(code, out, err)}")


def left(folder):
    return sorted(each.name for each in folder.iterdir())


def reports(policies, path, **more):
    code, out, err = run("test", policies, "--junit", path, **more)
    check((code, err) == (0, "") and out.endswith("passed in 6 documents\n"), f"--junit {path}: {(code, out, err)}")


# ---- What is there stays what it is --------------------------------------------------------------


def keeps_neighbours(scratch):
    folder = scratch / "neighbours"
    folder.mkdir()
    (folder / "web.yaml").write_text(MIXED)
    (folder / "web.yaml.new").write_text("notes\n")
    says(["fmt", folder], 0, f"{folder}/web.yaml\n")
    check((folder / "web.yaml").read_text() == GOOD, "it is formatted")
    check((folder / "web.yaml.new").read_text() == "notes\n", "what somebody keeps beside it stays")
    check(left(folder) == ["web.yaml", "web.yaml.new"], f"no file of ours stays: {left(folder)}")


def follows_links(policies, scratch):
    folder = scratch / "links"
    (folder / "far").mkdir(parents=True)
    (folder / "far" / "real.xml").write_text("old")
    os.chmod(folder / "far" / "real.xml", 0o604)
    (folder / "one.xml").symlink_to("two.xml")
    (folder / "two.xml").symlink_to(folder / "far" / "real.xml")
    (folder / "to-be.xml").symlink_to("far/fresh.xml")
    reports(policies, folder / "one.xml")
    reports(policies, folder / "to-be.xml")
    check((folder / "one.xml").is_symlink() and (folder / "two.xml").is_symlink(), "links stay links")
    check((folder / "far" / "real.xml").read_text().startswith("<?xml"), "what they lead to is written")
    check(stat.S_IMODE((folder / "far" / "real.xml").stat().st_mode) == 0o604, "with the mode that it had")
    check((folder / "far" / "fresh.xml").is_file() and (folder / "to-be.xml").is_symlink(), "a link to nothing makes it")
    check(left(folder / "far") == ["fresh.xml", "real.xml"], f"{left(folder / 'far')}")
    (folder / "round.xml").symlink_to("round.xml")
    says(["test", policies, "--junit", folder / "round.xml", "--filter", "leaver"], 2,
         "ok    " + f"{policies}/web_test.yaml: Scenario `leaver`: 2 steps, 2 expectations\n2 passed in 1 document\n",
         f"pdpctl: `{folder}/round.xml` cannot be written: Too many levels of symbolic links\n")


def formats_links(scratch):
    folder = scratch / "linked"
    folder.mkdir()
    (scratch / "behind.yaml").write_text(MIXED)
    (folder / "web.yaml").symlink_to("../behind.yaml")
    (folder / "below").mkdir()
    (folder / "round").symlink_to(".")
    says(["fmt", "--check", folder], 1, f"{folder}/web.yaml\n")
    says(["fmt", folder], 0, f"{folder}/web.yaml\n")
    check((folder / "web.yaml").is_symlink() and (scratch / "behind.yaml").read_text() == GOOD, "it is formatted behind its link")
    (folder / "lost.yaml").symlink_to("nowhere.yaml")
    says(["fmt", folder], 2, "", f"pdpctl: `{folder}/lost.yaml` cannot be read: No such file or directory\n")


def writes_in_place(policies, scratch):
    pipe = scratch / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    reports(policies, pipe)
    reader.join(SECONDS)
    check(bool(read) and read[0].startswith("<?xml") and stat.S_ISFIFO(pipe.stat().st_mode), "a pipe is written to, and stays one")
    standard = scratch / "stdout"  # as /dev/stdout is, which no test may risk
    standard.symlink_to("/proc/self/fd/1")
    code, out, err = run("test", policies, "--junit", standard)
    check(code == 0 and out.startswith("<?xml") and out.endswith("passed in 6 documents\n"), f"standard output: {err}")
    whole = scratch / "whole.txt"
    with whole.open("w", encoding="utf-8") as file:
        subprocess.run([PDPCTL, "test", policies, "--junit", standard], stdout=file, timeout=SECONDS, check=True)
    check(whole.read_text().startswith("<?xml") and whole.read_text().endswith("passed in 6 documents\n"), "also where that is a file")
    check(standard.is_symlink(), "it stays a link")
    device = scratch / "device.info"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        device.open("w", encoding="utf-8").close()
    except OSError:
        print("no device can be made here")
        return
    for args in (["test", policies, "--junit", device], ["test", policies, f"--coverage={device}"],
                 ["build", policies, "-o", device, "--version", "1", "--expires", "2100-01-01T00:00:00Z"]):
        code, _, err = run(*args)
        check((code, err) == (0, "") and stat.S_ISCHR(device.stat().st_mode), f"{args}: a device stays one: {err}")


def keeps_other_names(scratch):
    folder = scratch / "names"
    folder.mkdir()
    (folder / "one.yaml").write_text(MIXED)
    os.link(folder / "one.yaml", folder / "two.txt")
    says(["fmt", folder / "one.yaml"], 0, f"{folder}/one.yaml\n")
    check((folder / "one.yaml").read_text() == GOOD and (folder / "two.txt").read_text() == MIXED, "the other name keeps the old text")


# ---- Whose it is ---------------------------------------------------------------------------------


def keeps_owner(scratch):
    if os.getuid() != 0:
        print("owners are not changed without root")
        return
    folder = scratch / "owners"
    folder.mkdir()
    theirs = folder / "theirs.yaml"
    theirs.write_text(MIXED)
    os.chown(theirs, NOBODY, NOBODY)
    os.chmod(theirs, 0o640)
    says(["fmt", theirs], 0, f"{theirs}\n")
    is_now = theirs.stat()
    check((is_now.st_uid, is_now.st_gid, stat.S_IMODE(is_now.st_mode)) == (NOBODY, NOBODY, 0o640), f"owner and mode stay: {is_now}")
    os.chmod(folder, 0o777)
    if subprocess.run([PDPCTL, "--version"], user=NOBODY, capture_output=True, check=False, cwd="/").returncode != 0:
        print("pdpctl cannot be run by others here")
        return
    ours = folder / "ours.yaml"
    ours.write_text(MIXED)
    for mode, why in ((0o444, "Permission denied"), (0o666, "it belongs to another owner or group, which could not stay so")):
        os.chmod(ours, mode)
        says(["fmt", ours], 2, "", f"pdpctl: `{ours}` cannot be written, and is as it was: {why}\n", user=NOBODY, group=NOBODY, extra_groups=[])
        is_now = ours.stat()
        check((ours.read_text(), is_now.st_uid, stat.S_IMODE(is_now.st_mode)) == (MIXED, 0, mode), f"it is left as it is: {is_now}")
    check(left(folder) == ["ours.yaml", "theirs.yaml"], f"nothing stays beside it: {left(folder)}")


# ---- What cannot be written ----------------------------------------------------------------------


def refuses(policies, scratch):
    folder = scratch / "refused"
    folder.mkdir()
    (folder / "report.xml").symlink_to(policies / "web.yaml")
    before = (policies / "web.yaml").read_bytes()
    hint = "  hint: take a name that does not end in `.yaml` or `.yml`\n"
    for flag, path in (("--junit", policies / "web.yaml"), ("--junit", folder / "report.xml"), ("--coverage", folder / "new.yml")):
        says(["test", policies, f"{flag}={path}"], 2, "",
             f"pdpctl: `{flag} {path}` is, or leads to, the name of a policy or a test\n{hint}")
    says(["build", policies, "-o", policies / "web.yaml", "--version", "1", "--expires", "2100-01-01T00:00:00Z"], 2, "",
         f"pdpctl: `--output {policies}/web.yaml` is, or leads to, the name of a policy or a test\n{hint}")
    check((policies / "web.yaml").read_bytes() == before and not (folder / "new.yml").exists(), "nothing was written")
    code, _, err = run("test", policies, "--junit", folder)
    check((code, err) == (2, f"pdpctl: `{folder}` cannot be written: Is a directory\n"), err)
    code, _, err = run("test", policies, "--junit", folder / ("x" * 300))
    check(code == 2 and err.endswith("cannot be written: File name too long\n"), err)
    check(left(folder) == ["report.xml"], f"nothing stays: {left(folder)}")


def of_size(most):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    return limit


def says_what_failed(policies, scratch):
    folder = scratch / "small"
    folder.mkdir()
    (folder / "report.xml").write_text("old")
    code, _, err = run("test", policies, "--junit", folder / "report.xml", preexec_fn=of_size(4096))
    check((code, err) == (2, f"pdpctl: `{folder}/report.xml` cannot be written: File too large\n"), f"{code}: {err}")
    check(left(folder) == ["report.xml"] and (folder / "report.xml").read_text() == "old", "the old one stays, alone")
    for command in ("check", "test"):
        code, _, err = run(command, policies, preexec_fn=of_size(1024))
        check(code == 2 and "web_test.yaml:" in err and "error: `places` cannot become a database: no anonymous file of " in err
              and "bytes: File too large\n" in err and err.endswith(f"pdpctl: `{policies}` has 1 mistake\n"), f"{command}: {code}: {err}")


def main():
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(os.path.realpath(name))
        os.chmod(scratch, 0o755)
        policies = scratch / "payroll"
        run("new", policies)
        keeps_neighbours(scratch)
        follows_links(policies, scratch)
        formats_links(scratch)
        writes_in_place(policies, scratch)
        keeps_other_names(scratch)
        keeps_owner(scratch)
        refuses(policies, scratch)
        says_what_failed(policies, scratch)
    print(f"output: {failures} failures")
    return 1 if failures else 0


PDPCTL = os.path.abspath(sys.argv[1])
sys.exit(main())
