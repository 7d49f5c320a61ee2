# SPDX-License-Identifier: Apache-2.0
"""nginx's own module: how it is loaded, and what a server asks by it."""
import subprocess
from support import BUILD, SANITIZE, skip

MODULE = (BUILD / "lib/ngx_http_pdp_module.so").resolve()
EXAMPLE = "adapters/nginx/examples/nginx.conf"


def load():
    """The `load_module` line, and what nginx needs in its environment for it."""
    if not MODULE.exists():
        skip("ngx_http_pdp_module is not built: nginx-dev is not installed")
    if not SANITIZE:
        return f"load_module {MODULE};", None
    if "address" not in SANITIZE:
        skip("nginx cannot take a module of this sanitizer")
    preload = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip()
    return f"load_module {MODULE};", {"LD_PRELOAD": preload, "ASAN_OPTIONS": "detect_leaks=0"}


def inside(pdpd):
    """What stands in a server that asks a pdpd."""
    return f"pdp on;\n pdp_connect {pdpd.decide} deadline=2s;\n pdp_session $cookie_sid;\n"
