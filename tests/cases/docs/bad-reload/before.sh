# SPDX-License-Identifier: Apache-2.0
. "$PDP_ROOT/tests/system/drill.sh"
