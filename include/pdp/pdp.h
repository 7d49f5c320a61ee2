// SPDX-License-Identifier: Apache-2.0
// Everything that a gateway needs: questions, answers, and the client that carries them.
#ifndef PDP_PDP_H
#define PDP_PDP_H

#include <pdp/client.h>
#include <pdp/decider.h>
#include <pdp/effect.h>
#include <pdp/err.h>
#include <pdp/flow.h>
#include <pdp/question.h>

#endif
