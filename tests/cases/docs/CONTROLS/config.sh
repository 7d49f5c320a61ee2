# SPDX-License-Identifier: Apache-2.0
# The fragment, with what every configuration has, passes `pdpd --check`.
{ printf 'policies: policies\ndecide: ipc:///run/pdp/decide.sock\n'; cat "$BLOCK"; } >pdpd.yaml
pdpd --check --config pdpd.yaml
