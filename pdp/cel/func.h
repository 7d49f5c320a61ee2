// SPDX-License-Identifier: Apache-2.0
// Every function and operator of the language: one table of names, types and code.
#ifndef CEL_FUNC_H
#define CEL_FUNC_H

#include "model/value.h"

struct cel_frame;

// Letters of the overloads (arguments:result, separated by a space):
//   b bool  i int  u uint  d double  s string  y bytes  n null  * dyn  t timestamp  p duration
//   I ip  N cidr  E level  S strength  Z list document  L_ list of  M__ map  O_ optional  Y_ type
//   A B C type parameters
// X(id, name, is it called on a target, overloads, code; NULL: the runner knows it)
#define FUNC_LIST(X)                                                                        \
    X(AND, "_&&_", false, "bb:b", NULL)                                                     \
    X(OR, "_||_", false, "bb:b", NULL)                                                      \
    X(COND, "_?_:_", false, "bAA:A", NULL)                                                  \
    X(NOT, "!_", false, "b:b", NULL)                                                        \
    X(NEG, "-_", false, "i:i d:d p:p", num_neg)                                             \
    X(EQ, "_==_", false, "AA:b", NULL)                                                      \
    X(NE, "_!=_", false, "AA:b", NULL)                                                      \
    X(LT, "_<_", false, FUNC_ORDER, NULL)                                                   \
    X(LE, "_<=_", false, FUNC_ORDER, NULL)                                                  \
    X(GT, "_>_", false, FUNC_ORDER, NULL)                                                   \
    X(GE, "_>=_", false, FUNC_ORDER, NULL)                                                  \
    X(ADD, "_+_", false, "ii:i uu:u dd:d ss:s yy:y LALA:LA tp:t pt:t pp:p", num_add_values) \
    X(SUB, "_-_", false, "ii:i uu:u dd:d tt:p tp:t pp:p", num_sub_values)                   \
    X(MUL, "_*_", false, "ii:i uu:u dd:d", num_mul_values)                                  \
    X(DIV, "_/_", false, "ii:i uu:u dd:d", num_div_values)                                  \
    X(MOD, "_%_", false, "ii:i uu:u", num_mod_values)                                       \
    X(IN, "_in_", false, "ALA:b AMAB:b", NULL)                                              \
    X(INDEX, "_[_]", false, "LAi:A MABA:B OLAi:OA OMABA:OB", list_index)                    \
    X(OPT_INDEX, "_[?_]", false, "LAi:OA MABA:OB OLAi:OA OMABA:OB", list_opt_index)         \
    X(SIZE, "size", false, "s:i y:i LA:i MAB:i", list_size)                                 \
    X(SIZE_OF, "size", true, "s:i y:i LA:i MAB:i", list_size)                               \
    X(DYN, "dyn", false, "A:*", conv_dyn)                                                   \
    X(TYPE, "type", false, "A:YA", conv_type)                                               \
    X(BOOL, "bool", false, "b:b s:b", conv_bool)                                            \
    X(INT, "int", false, "i:i u:i d:i s:i t:i", conv_int)                                   \
    X(UINT, "uint", false, "u:u i:u d:u s:u", conv_uint)                                    \
    X(DOUBLE, "double", false, "d:d i:d u:d s:d", conv_double)                              \
    X(STRING, "string", false, "s:s b:s i:s u:s d:s y:s t:s p:s I:s N:s", conv_string)      \
    X(BYTES, "bytes", false, "y:y s:y", conv_bytes)                                         \
    X(TIMESTAMP, "timestamp", false, "t:t s:t i:t", conv_timestamp)                         \
    X(DURATION, "duration", false, "p:p s:p", conv_duration)                                \
    X(CONTAINS, "contains", true, "ss:b", text_contains)                                    \
    X(STARTS, "startsWith", true, "ss:b", text_starts)                                      \
    X(ENDS, "endsWith", true, "ss:b", text_ends)                                            \
    X(MATCHES_OF, "matches", true, "ss:b", NULL)                                            \
    X(MATCHES, "matches", false, "ss:b", NULL)                                              \
    X(CHAR_AT, "charAt", true, "si:s", text_char_at)                                        \
    X(INDEX_OF, "indexOf", true, "ss:i ssi:i", text_index_of)                               \
    X(LAST_INDEX_OF, "lastIndexOf", true, "ss:i ssi:i", text_last_index_of)                 \
    X(LOWER, "lowerAscii", true, "s:s", text_lower)                                         \
    X(UPPER, "upperAscii", true, "s:s", text_upper)                                         \
    X(REPLACE, "replace", true, "sss:s sssi:s", text_replace)                               \
    X(SPLIT, "split", true, "ss:Ls ssi:Ls", text_split)                                     \
    X(SUBSTRING, "substring", true, "si:s sii:s", text_substring)                           \
    X(TRIM, "trim", true, "s:s", text_trim)                                                 \
    X(REVERSE, "reverse", true, "s:s", text_reverse)                                        \
    X(JOIN, "join", true, "Ls:s Lss:s", text_join)                                          \
    X(QUOTE, "strings.quote", false, "s:s", text_quote)                                     \
    X(FORMAT, "format", true, "sL*:s", format_text)                                         \
    X(B64_ENCODE, "base64.encode", false, "y:s", base64_encode)                             \
    X(B64_DECODE, "base64.decode", false, "s:y", base64_decode)                             \
    X(YEAR, "getFullYear", true, "t:i ts:i", time_year)                                     \
    X(MONTH, "getMonth", true, "t:i ts:i", time_month)                                      \
    X(DATE, "getDate", true, "t:i ts:i", time_date)                                         \
    X(DAY_OF_MONTH, "getDayOfMonth", true, "t:i ts:i", time_day_of_month)                   \
    X(DAY_OF_WEEK, "getDayOfWeek", true, "t:i ts:i", time_day_of_week)                      \
    X(DAY_OF_YEAR, "getDayOfYear", true, "t:i ts:i", time_day_of_year)                      \
    X(HOURS, "getHours", true, "t:i ts:i p:i", time_hours)                                  \
    X(MINUTES, "getMinutes", true, "t:i ts:i p:i", time_minutes)                            \
    X(SECONDS, "getSeconds", true, "t:i ts:i p:i", time_seconds)                            \
    X(MILLIS, "getMilliseconds", true, "t:i ts:i p:i", time_millis)                         \
    X(WITHIN, "within", false, "ts:b tss:b", NULL)                                          \
    X(LEVEL, "level", false, "s:E", NULL)                                                   \
    X(STRENGTH, "strength", false, "s:S", NULL)                                             \
    X(IP, "ip", false, "s:I I:I", net_ip)                                                   \
    X(CIDR, "cidr", false, "s:N N:N", net_cidr)                                             \
    X(IS_IP, "isIP", false, "s:b", net_is_ip)                                               \
    X(IS_CIDR, "isCIDR", false, "s:b", net_is_cidr)                                         \
    X(IP_CANONICAL, "ip.isCanonical", false, "s:b", net_is_canonical)                       \
    X(FAMILY, "family", true, "I:i", net_family)                                            \
    X(UNSPECIFIED, "isUnspecified", true, "I:b", net_is_unspecified)                        \
    X(LOOPBACK, "isLoopback", true, "I:b", net_is_loopback)                                 \
    X(GLOBAL_UNICAST, "isGlobalUnicast", true, "I:b", net_is_global_unicast)                \
    X(LINK_MULTICAST, "isLinkLocalMulticast", true, "I:b", net_is_link_multicast)           \
    X(LINK_UNICAST, "isLinkLocalUnicast", true, "I:b", net_is_link_unicast)                 \
    X(CONTAINS_IP, "containsIP", true, "NI:b Ns:b", net_contains_ip)                        \
    X(CONTAINS_CIDR, "containsCIDR", true, "NN:b Ns:b", net_contains_cidr)                  \
    X(CIDR_IP, "ip", true, "N:I", net_cidr_ip)                                              \
    X(MASKED, "masked", true, "N:N", net_masked)                                            \
    X(PREFIX_LENGTH, "prefixLength", true, "N:i", net_prefix_length)                        \
    X(MATH_MAX, "math.greatest", false, "i:i u:u d:d Li:i Lu:u Ld:d L*:*", math_greatest)   \
    X(MATH_MIN, "math.least", false, "i:i u:u d:d Li:i Lu:u Ld:d L*:*", math_least)         \
    X(MATH_CEIL, "math.ceil", false, "d:d", math_ceil)                                      \
    X(MATH_FLOOR, "math.floor", false, "d:d", math_floor)                                   \
    X(MATH_ROUND, "math.round", false, "d:d", math_round)                                   \
    X(MATH_TRUNC, "math.trunc", false, "d:d", math_trunc)                                   \
    X(MATH_SQRT, "math.sqrt", false, "d:d i:d u:d", math_sqrt)                              \
    X(MATH_ABS, "math.abs", false, "i:i u:u d:d", math_abs)                                 \
    X(MATH_SIGN, "math.sign", false, "i:i u:u d:d", math_sign)                              \
    X(MATH_NAN, "math.isNaN", false, "d:b", math_is_nan)                                    \
    X(MATH_INF, "math.isInf", false, "d:b", math_is_inf)                                    \
    X(MATH_FINITE, "math.isFinite", false, "d:b", math_is_finite)                           \
    X(BIT_AND, "math.bitAnd", false, "ii:i uu:u", math_bit_and)                             \
    X(BIT_OR, "math.bitOr", false, "ii:i uu:u", math_bit_or)                                \
    X(BIT_XOR, "math.bitXor", false, "ii:i uu:u", math_bit_xor)                             \
    X(BIT_NOT, "math.bitNot", false, "i:i u:u", math_bit_not)                               \
    X(BIT_LEFT, "math.bitShiftLeft", false, "ii:i ui:u", math_bit_left)                     \
    X(BIT_RIGHT, "math.bitShiftRight", false, "ii:i ui:u", math_bit_right)                  \
    X(OPT_NONE, "optional.none", false, ":OA", opt_none)                                    \
    X(OPT_OF, "optional.of", false, "A:OA", opt_of)                                         \
    X(OPT_NON_ZERO, "optional.ofNonZeroValue", false, "A:OA", opt_of_non_zero)              \
    X(OPT_VALUE, "value", true, "OA:A", opt_value)                                          \
    X(OPT_HAS, "hasValue", true, "OA:b", opt_has)                                           \
    X(OPT_OR, "or", true, "OAOA:OA", NULL)                                                  \
    X(OPT_OR_VALUE, "orValue", true, "OAA:A", NULL)

#define FUNC_ORDER "bb:b ii:b uu:b dd:b ss:b yy:b tt:b pp:b EE:b SS:b iu:b id:b ui:b ud:b di:b du:b"

enum func_id {
    F_NONE,
#define X(id, name, member, sigs, code) F_##id,
    FUNC_LIST(X)
#undef X
    F_COUNT
};

struct func {
    const char *name;
    bool member;
    const char *sigs;
    // Strict: is only called with values that are no errors. NULL: the runner's own business.
    struct value (*code)(struct cel_frame *frame, const struct value *args, uint32_t count);
};

extern const struct func FUNCS[F_COUNT];

// The function of this name and style, or F_NONE. A short walk over the table.
enum func_id func_find(struct str name, bool member);
// The nearest name of a function for "did you mean", or an empty text.
struct str func_nearest(struct str name, bool member);

#endif
