# SPDX-License-Identifier: Apache-2.0
# The configuration of the page passes `pdpd --check`, with its folders moved here.
sed -e "s|/etc/pdp/policies|policies|" "$BLOCK" >pdpd.yaml
pdpd --check --config pdpd.yaml
