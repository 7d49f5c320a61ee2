// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name, *text;
} ERRORS[PDP_ERR_COUNT] = {
#define X(name, text) {#name, text},
    PDP_ERR_LIST(X)
#undef X
};

const char *pdp_err_name(enum pdp_err err)
{
    return (unsigned)err < PDP_ERR_COUNT ? ERRORS[err].name : "UNKNOWN";
}

const char *pdp_err_text(enum pdp_err err)
{
    return (unsigned)err < PDP_ERR_COUNT ? ERRORS[err].text : "an unknown error";
}

_Noreturn void invariant_failed(const char *what, const char *file, int line)
{
    // The one place below the daemon that prints: the process is about to end.
    fprintf(stderr, "level=fatal event=invariant file=%s line=%d what=\"%s\"\n", file, line, what);
    abort();
}
