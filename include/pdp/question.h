// SPDX-License-Identifier: Apache-2.0
// Questions, events and answers: what is asked of a decision point, and what came back. Shared by libpdp and
// libpdp-engine, so that the same code asks a daemon or an engine in the same process.
#ifndef PDP_QUESTION_H
#define PDP_QUESTION_H

#include <pdp/effect.h>
#include <pdp/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- Questions -----------------------------------------------------------------------------------
//
// A question is a tree of the AuthZEN shape, filled by dotted paths:
//
//   tenant, request_id, explain                               text
//   subject.type, subject.id, subject.properties.NAME         required: type, id
//   action.name, action.properties.NAME                       required: name
//   resource.type, resource.id, resource.properties.NAME      required: type, id
//   context.session.id, .auth_time (seconds since 1970), .acr, .amr (texts)
//   context.device.fingerprint, .user_agent, .managed (bool), .components.NAME
//   context.network.ip, .forwarded_for (texts)
//   context.activity.NAME                                     numbers
//
// An event is filled in the same way: type, subject.…, context.…, properties.NAME (see pdp_event).
// `\.` is a dot inside a name. Setting a path again replaces what was there.
//
// Errors stick: after the first failed call the others change nothing, pdp_question_error tells it, and
// asking such a question is answered deny. So a caller may build without looking and check once, or never.
// Texts are copied. One question belongs to one thread at a time; several threads may ask the same one while
// none changes it. Cost: one allocation for small questions.
struct pdp_question;

// NOMEM leaves *question NULL. Free with pdp_question_free.
PDP_API enum pdp_err pdp_question_new(struct pdp_question **question);
// A whole question, event or batch as JSON (first byte `{` or `[`) or CBOR, at most 64 KiB, depth 16.
// MALFORMED, LIMIT, NOMEM leave *question NULL; `why`, where not NULL, receives at most `why_bytes` of text
// for people.
PDP_API enum pdp_err pdp_question_from_bytes(const void *bytes, size_t len, struct pdp_question **question,
                                             char *why, size_t why_bytes);
// Accepts NULL and a pointer to NULL; leaves NULL behind.
PDP_API void pdp_question_free(struct pdp_question **question);
// Empties it for use again; keeps its memory, forgets its error.
PDP_API void pdp_question_reset(struct pdp_question *question);

// All return the sticky error: SYNTAX (bad path), TYPE (a path through a scalar), DEPTH, LIMIT (1 MiB in
// all), UTF8, RANGE (NaN or infinite), MALFORMED (set_json), NOMEM.
PDP_API enum pdp_err pdp_question_set_text(struct pdp_question *question, const char *path, const char *text);
PDP_API enum pdp_err pdp_question_set_text_n(struct pdp_question *question, const char *path,
                                             const char *text, size_t len);
PDP_API enum pdp_err pdp_question_set_int(struct pdp_question *question, const char *path, int64_t number);
PDP_API enum pdp_err pdp_question_set_double(struct pdp_question *question, const char *path, double number);
PDP_API enum pdp_err pdp_question_set_bool(struct pdp_question *question, const char *path, bool yes);
PDP_API enum pdp_err pdp_question_set_texts(struct pdp_question *question, const char *path,
                                            const char *const *texts, size_t count);
// Any JSON value below a path, such as `["hr", "it"]` or `{"floor": 3}`.
PDP_API enum pdp_err pdp_question_set_json(struct pdp_question *question, const char *path, const char *json);
// OK where all calls so far succeeded. NULL is MISSING.
PDP_API enum pdp_err pdp_question_error(const struct pdp_question *question);

// ---- Answers -------------------------------------------------------------------------------------
//
// Every function takes NULL, which reads as what no answer means: deny, no-answer. Only pdp_answer_allows
// opens a door: it is true where the answer's decision is true *and* its effect is allow.
// Texts are NUL-terminated, never NULL, and live as long as the answer. An answer never changes, so any
// number of threads may read it; one of them frees it.
struct pdp_answer;

PDP_API void pdp_answer_free(struct pdp_answer **answer);
PDP_API bool pdp_answer_allows(const struct pdp_answer *answer);
PDP_API enum pdp_effect pdp_answer_effect(const struct pdp_answer *answer);
PDP_API enum pdp_code pdp_answer_code(const struct pdp_answer *answer);
// 0..100, and `low`, `medium`, `high`, `critical`; -1 and empty where the answer says nothing of risk.
PDP_API double pdp_answer_score(const struct pdp_answer *answer);
PDP_API const char *pdp_answer_level(const struct pdp_answer *answer);
// The deciding rule (`policy/rule`), the reason for administrators, the message for the user; may be empty.
PDP_API const char *pdp_answer_rule(const struct pdp_answer *answer);
PDP_API const char *pdp_answer_reason(const struct pdp_answer *answer);
PDP_API const char *pdp_answer_message(const struct pdp_answer *answer);
PDP_API const char *pdp_answer_decision_id(const struct pdp_answer *answer);
// What a step_up asks for: strength; at most how many seconds old (0: any age); acr values to request.
PDP_API const char *pdp_answer_require_strength(const struct pdp_answer *answer);
PDP_API int64_t pdp_answer_require_max_age_s(const struct pdp_answer *answer);
PDP_API size_t pdp_answer_require_acr_count(const struct pdp_answer *answer);
PDP_API const char *pdp_answer_require_acr(const struct pdp_answer *answer, size_t at);
// `s_…`: names the session to people and logs, is not its id. Empty without a session.
PDP_API const char *pdp_answer_session_ref(const struct pdp_answer *answer);
// Milliseconds since 1970 until which the answer may be used again; 0: not at all.
PDP_API int64_t pdp_answer_valid_until_ms(const struct pdp_answer *answer);
// Of an event: was it taken? Where it was not, code and reason say why. Its effect is deny in either case.
PDP_API bool pdp_answer_recorded(const struct pdp_answer *answer);
// Of a deny with code `overloaded`: ask again in so many milliseconds, with the same request_id; 0: not said.
PDP_API int64_t pdp_answer_retry_after_ms(const struct pdp_answer *answer);
// What the decision point could not know (`geo.country`). Empty text past the end.
PDP_API size_t pdp_answer_missing_count(const struct pdp_answer *answer);
PDP_API const char *pdp_answer_missing(const struct pdp_answer *answer, size_t at);
// The bytes as they came, JSON or CBOR; of a batch, those of the whole batch. NULL and 0 where none came.
PDP_API const void *pdp_answer_bytes(const struct pdp_answer *answer, size_t *len);
// Any other field by path, such as `context.risk.signals.0.evidence`; numbers pick from lists. false, with
// the output untouched, where it is missing or of another type. An integer is a double too. The text is not
// NUL-terminated. Linear in the size of the maps on the way.
PDP_API bool pdp_answer_get_text(const struct pdp_answer *answer, const char *path, const char **text,
                                 size_t *len);
PDP_API bool pdp_answer_get_int(const struct pdp_answer *answer, const char *path, int64_t *number);
PDP_API bool pdp_answer_get_double(const struct pdp_answer *answer, const char *path, double *number);
PDP_API bool pdp_answer_get_bool(const struct pdp_answer *answer, const char *path, bool *yes);
// Entries of the list or map at a path; 0 where there is none.
PDP_API size_t pdp_answer_get_count(const struct pdp_answer *answer, const char *path);
// What stands at a path (empty: all of it) as JSON, whatever form it came in: *len bytes and a NUL behind
// them, to be freed with free(). NULL, with *len 0, where there is nothing or memory is out. `len` may be
// NULL.
PDP_API char *pdp_answer_json(const struct pdp_answer *answer, const char *path, size_t *len);

// Called once with what a blocking call would have returned; owns `answer`.
typedef void (*pdp_answered)(void *user, enum pdp_err err, struct pdp_answer *answer);

#ifdef __cplusplus
}
#endif
#endif
