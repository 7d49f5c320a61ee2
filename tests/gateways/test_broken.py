#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tricks notice each mistake in a configuration that ways.py lists: what they do not notice, they do not test."""
import ways
from support import finish, skip
from test_tricks import run_broken

for way in ways.here() or [skip("no adapter is built")]:
    run_broken(way)
finish()
