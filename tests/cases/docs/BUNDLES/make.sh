# SPDX-License-Identifier: Apache-2.0
# The block as it stands, where openssl is.
command -v openssl >/dev/null || exit 0
. "$BLOCK"
