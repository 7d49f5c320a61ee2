// SPDX-License-Identifier: Apache-2.0
// Which tokens were acted on: each once.
#ifndef COMMON_REPLAY_H
#define COMMON_REPLAY_H

#include "common/text.h"

#define REPLAY_MOST 4096

struct replay;

// NULL where memory is out. 160 KiB.
struct replay *replay_new(void);
void replay_free(struct replay **replay);
// Was this id noted, and is that not over at now_s? Any thread.
bool replay_has(struct replay *replay, struct text id, int64_t now_s);
// Notes it until then. Where there is no room, the one gives way that is over first. Any thread.
void replay_note(struct replay *replay, struct text id, int64_t until_s, int64_t now_s);

#endif
