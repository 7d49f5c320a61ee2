// SPDX-License-Identifier: Apache-2.0
// Who may call: bearer tokens, of which only digests are kept, and certificates.
#ifndef HTTP_CALLERS_H
#define HTTP_CALLERS_H

#include "http/http.h"
#include "http/tokens.h"

#define CALLERS_NAME_MAX 255

struct callers;

// From the settings `tokens` and `open`. `open` is refused where a socket of the setup can be reached from
// another machine.
MUST_USE enum pdp_err callers_new(const struct pdp_adapter_setup *setup, struct callers **callers,
                                  struct pdp_adapter_wrong *wrong);
void callers_free(struct callers **callers);
// Reads the tokens anew. What cannot be read leaves those that were, and `why` says what is wrong with it.
// Any thread.
MUST_USE enum pdp_err callers_reload(struct callers *callers, char why[PDP_ADAPTER_WHY_MAX]);

// Is there neither a file of tokens nor `open`? Then only certificates tell who somebody is.
bool callers_none(const struct callers *callers);

// Who sent this? true: somebody that is known, by name; or everybody may call, and the name is empty. A token
// that is shown and not known is false even where all may call: whoever shows one means to be told apart. Any
// thread. Cost: a digest, and a comparison with each token.
MUST_USE bool callers_know(struct callers *callers, const struct http_request *request, const char *header,
                           char name[CALLERS_NAME_MAX + 1]);

#endif
