// SPDX-License-Identifier: Apache-2.0
// What other languages write, and what is written here: hints for what cannot be read.
#ifndef CEL_FOREIGN_H
#define CEL_FOREIGN_H

#include "cel/lex.h"

// For the token that was reported as not expected: by what it is, and by what stands around it.
void foreign_token(struct unit *unit, uint32_t at, uint32_t len);
// For a word that was reported as reserved.
void foreign_word(struct unit *unit, struct str word);
// For a number that was reported as running into a name; `text` begins with it.
void foreign_number(struct unit *unit, struct str text);
// What to say of a character that begins nothing, and a hint; NULL, NULL: no more is known of it.
void foreign_sign(struct str rest, const char **what, const char **hint);

#endif
