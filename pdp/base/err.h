// SPDX-License-Identifier: Apache-2.0
// What every file uses to pass errors up, own what it allocates, and check itself.
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <pdp/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

// Passes an error up; the only macro that hides a return.
#define TRY(call)                                          \
    do {                                                   \
        enum pdp_err try_err_ = (call);                    \
        if (__builtin_expect(try_err_ != PDP_ERR_OK, 0)) { \
            return try_err_;                               \
        }                                                  \
    } while (0)

// A local that owns: `AUTO(x_free) struct x *x = NULL;`. STEAL gives it away and leaves NULL.
#define AUTO(free_fn) __attribute__((cleanup(free_fn)))
#define STEAL(ptr)                      \
    __extension__({                     \
        __typeof__(ptr) steal_ = (ptr); \
        (ptr) = NULL;                   \
        steal_;                         \
    })

// Our own mistakes; on in release builds too. Bytes from outside must never be able to reach one.
#define invariant(cond)                                  \
    do {                                                 \
        if (__builtin_expect(!(cond), 0)) {              \
            invariant_failed(#cond, __FILE__, __LINE__); \
        }                                                \
    } while (0)
_Noreturn void invariant_failed(const char *what, const char *file, int line);

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

#endif
