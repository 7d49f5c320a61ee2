// SPDX-License-Identifier: Apache-2.0
// The code behind the table of functions. Arguments are no errors; the result may be one.
#ifndef CEL_LIB_H
#define CEL_LIB_H

#include "cel/func.h"

#define LIB_CODE_LIST(X)     \
    X(num_neg)               \
    X(num_add_values)        \
    X(num_sub_values)        \
    X(num_mul_values)        \
    X(num_div_values)        \
    X(num_mod_values)        \
    X(list_index)            \
    X(list_opt_index)        \
    X(list_size)             \
    X(conv_dyn)              \
    X(conv_type)             \
    X(conv_bool)             \
    X(conv_int)              \
    X(conv_uint)             \
    X(conv_double)           \
    X(conv_string)           \
    X(conv_bytes)            \
    X(conv_timestamp)        \
    X(conv_duration)         \
    X(text_contains)         \
    X(text_starts)           \
    X(text_ends)             \
    X(text_char_at)          \
    X(text_index_of)         \
    X(text_last_index_of)    \
    X(text_lower)            \
    X(text_upper)            \
    X(text_replace)          \
    X(text_split)            \
    X(text_substring)        \
    X(text_trim)             \
    X(text_reverse)          \
    X(text_join)             \
    X(text_quote)            \
    X(base64_encode)         \
    X(base64_decode)         \
    X(format_text)           \
    X(time_year)             \
    X(time_month)            \
    X(time_date)             \
    X(time_day_of_month)     \
    X(time_day_of_week)      \
    X(time_day_of_year)      \
    X(time_hours)            \
    X(time_minutes)          \
    X(time_seconds)          \
    X(time_millis)           \
    X(net_ip)                \
    X(net_cidr)              \
    X(net_is_ip)             \
    X(net_is_cidr)           \
    X(net_is_canonical)      \
    X(net_family)            \
    X(net_is_unspecified)    \
    X(net_is_loopback)       \
    X(net_is_global_unicast) \
    X(net_is_link_multicast) \
    X(net_is_link_unicast)   \
    X(net_contains_ip)       \
    X(net_contains_cidr)     \
    X(net_cidr_ip)           \
    X(net_masked)            \
    X(net_prefix_length)     \
    X(math_greatest)         \
    X(math_least)            \
    X(math_ceil)             \
    X(math_floor)            \
    X(math_round)            \
    X(math_trunc)            \
    X(math_sqrt)             \
    X(math_abs)              \
    X(math_sign)             \
    X(math_is_nan)           \
    X(math_is_inf)           \
    X(math_is_finite)        \
    X(math_bit_and)          \
    X(math_bit_or)           \
    X(math_bit_xor)          \
    X(math_bit_not)          \
    X(math_bit_left)         \
    X(math_bit_right)        \
    X(opt_none)              \
    X(opt_of)                \
    X(opt_of_non_zero)       \
    X(opt_value)             \
    X(opt_has)

#define X(code) struct value code(struct cel_frame *frame, const struct value *args, uint32_t count);
LIB_CODE_LIST(X)
#undef X

#endif
