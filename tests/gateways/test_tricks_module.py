#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of tricks.py through nginx's module, by the rules of test_tricks.py; and its mistakes, each of which must be seen."""
import shutil
import nginx_module
import support
import ways
from support import Nginx, Pdpd, Site, Stage, check, finish
from test_tricks import POLICY, PROXY, Run

# What people write who have not read the page.
BROKEN = {
    "the client's path goes on": {"http://site$pdp_path$is_args$args": "http://site"},
    "headers of the client go on": {"proxy_set_header X-Pdp-Subject $pdp_subject;": "",
                                    'proxy_set_header X-HTTP-Method-Override "";': ""},
    "names with `_` go on": {"server_name shop.example;": "server_name shop.example; underscores_in_headers on;"},
    "a name that nobody has verified": {"pdp_subject user $remote_user;": "pdp_subject user $http_x_user;"},
    "an address that the client names": {"pdp on;": "pdp on; pdp_address $http_x_forwarded_for;"},
    "it is not asked at all": {"pdp on;": "pdp off;", "http://site$pdp_path$is_args$args": "http://site"}}


def through(broken):
    main, env = nginx_module.load()
    with Stage() as stage:
        site, port = Site(stage), stage.port()
        pdpd = Pdpd(stage, {"site.yaml": POLICY}, state=True, config=f"trusted_proxies: [{PROXY}]\n")
        # The client has no password: nobody is who they say.
        values = {"127.0.0.1:3000": f"127.0.0.1:{site.port}", "listen 80;": f"listen 127.0.0.1:{port};",
                  "ipc:///run/pdp/nginx.sock deadline=200ms": f"{pdpd.decide} deadline=5s", 'auth_basic "shop";': "auth_basic off;",
                  "pdp_subject user $remote_user;": 'pdp_subject user "";'}
        nginx = Nginx(stage, nginx_module.EXAMPLE, {**values, **broken}, port, main=main, env=env)
        played = Run(ways.Way("nginx-module", nginx), pdpd, site)
        played.prepare()
        played.play_all()
        played.read_log()
        played.judge()
    return stage.scratch


def is_seen(mistake):
    before, out = (support.checks, support.failures), support.print if hasattr(support, "print") else print
    support.print = lambda *args, **more: None
    shutil.rmtree(through(BROKEN[mistake]), ignore_errors=True)
    support.print = out
    found = support.failures - before[1]
    support.checks, support.failures = before
    check(found > 0, f"{mistake}: this is seen")


if __name__ == "__main__":
    through({})
    for mistake in BROKEN:
        is_seen(mistake)
    finish()
