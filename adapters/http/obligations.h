// SPDX-License-Identifier: Apache-2.0
// The obligations profile of AuthZEN (draft 1): a step-up is asked for, and the end of a session is told, in
// a form that gateways of others know.
#ifndef HTTP_OBLIGATIONS_H
#define HTTP_OBLIGATIONS_H

#include "common/text.h"

#include <jansson.h>
#include <pdp/question.h>

// The answer as JSON with `context.obligations` of the profile: `step-up` where a proof is asked for,
// `session_termination` where the session is over, and what rules oblige to: types that the profile knows as
// they are, all others as `custom`. `request` is the body that asked: it names the subject, and may say which
// types its gateway carries out (context.supported_obligations); of the first two kinds, those alone are then
// sent. From malloc; NULL where memory is out, or one of both cannot be read.
char *obligations_of(const struct pdp_answer *answer, struct text request, size_t *len);

// The types that may be sent, for the metadata. A new reference.
json_t *obligations_supported(void);

#endif
