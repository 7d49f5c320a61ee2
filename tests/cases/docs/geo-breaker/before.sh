# SPDX-License-Identifier: Apache-2.0
# A database of places, and one that has them wrong.
perl "$PDP_ROOT/tests/data/make_mmdb.pl" . city city-moved
cp city.mmdb places.mmdb
geo=places.mmdb
. "$PDP_ROOT/tests/system/drill.sh"
