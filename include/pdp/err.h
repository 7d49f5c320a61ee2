// SPDX-License-Identifier: Apache-2.0
// Errors that every call of the library may return: one list, from which enum and texts come.
#ifndef PDP_ERR_H
#define PDP_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PDP_API __attribute__((visibility("default")))
#else
#define PDP_API
#endif

// X(name, short text for people)
#define PDP_ERR_LIST(X)                            \
    X(OK, "done")                                  \
    X(NOMEM, "out of memory")                      \
    X(RANGE, "a number is out of range")           \
    X(LIMIT, "a limit is exceeded")                \
    X(DEPTH, "nested too deeply")                  \
    X(SYNTAX, "text does not follow the syntax")   \
    X(TYPE, "a value has the wrong type")          \
    X(UNKNOWN, "a name is not known")              \
    X(DUPLICATE, "a name is given twice")          \
    X(MISSING, "something required is missing")    \
    X(MALFORMED, "bytes do not follow the format") \
    X(UTF8, "text is not valid UTF-8")             \
    X(UNSUPPORTED, "not supported")                \
    X(CORRUPT, "data is corrupt")                  \
    X(STALE, "data is too old")                    \
    X(STATE, "not possible in this state")         \
    X(DENIED, "not granted")                       \
    X(BUSY, "overloaded")                          \
    X(TIMEOUT, "the deadline passed")              \
    X(CLOSED, "closed")                            \
    X(IO, "input or output failed")                \
    X(REFUSED, "refused")

enum pdp_err {
#define X(name, text) PDP_ERR_##name,
    PDP_ERR_LIST(X)
#undef X
    PDP_ERR_COUNT
};

// The name of an error (`RANGE`), and its text for people. Static, never NULL. Any thread.
PDP_API const char *pdp_err_name(enum pdp_err err);
PDP_API const char *pdp_err_text(enum pdp_err err);

#ifdef __cplusplus
}
#endif
#endif
