// SPDX-License-Identifier: Apache-2.0
#include "session/row.h"

#include "help.h"
#include "old_rows.h"

static struct session_record full(enum session_state state)
{
    struct session_record record = help_record(state, T0);
    record.id = (struct hash128){11, 12};
    record.subject = (struct hash128){13, 14};
    record.key = 5;
    record.ended_ms = T0 + 7;
    record.over_ms = T0 + HOUR;
    record.id_since_ms = T0 - 1000;
    record.successor = (struct hash128){15, 16};
    record.rotated_ms = 1;
    record.overlap_until_ms = 2;
    record.end_code = PDP_CODE_EXPIRED;
    record.requests = 99;
    record.issued = 1;
    record.asked_strength = 2;
    record.asked_max_age_s = 900;
    record.voucher = 700;
    record.prover = SESSION_PEERS_SEVERAL;
    record.vouched_s = 31;
    record.undone = SESSION_UNDONE_PROOFS;
    record.proofs[3] = (struct session_proof){77, 78};
    record.acr_len = 4;
    memcpy(record.acr, "aal2", 4);
    record.amr_len = 200; // longer than the field: was cut
    memset(record.amr, 'x', sizeof record.amr);
    record.last.lat_deg = 52.5;
    record.last.ip.v4 = true;
    record.last.ip.bytes[15] = 9;
    record.last.country = 0x4445;
    record.last.geo_version = 0x5678;
    record.last.agent_family = 3;
    record.last.agent_version = 1234;
    record.last.agent_class = SIGHT_CLASS_TABLET;
    record.risk[17] = 18;
    record.repeats[1] = (struct session_repeat){.id = 21, .question = 22, .rule = UINT32_MAX};
    return record;
}

Test(session_row, a_session_comes_back_as_it_was)
{
    static const enum session_state STATES[] = {SESSION_ACTIVE, SESSION_CHALLENGED, SESSION_TERMINATED,
                                                SESSION_ROTATED};
    for (size_t i = 0; i < COUNT_OF(STATES); i++) {
        struct session_record was = full(STATES[i]), is;
        unsigned char key[ROW_SESSION_KEY], value[ROW_BYTES_MAX], again[ROW_BYTES_MAX];
        size_t key_len = row_session_key(&was, key), len = row_session_write(&was, STR("gw-7"), value);
        struct str gateway;
        cr_assert_eq(row_session_read((struct str){(char *)key, key_len}, (struct str){(char *)value, len},
                                      &is, &gateway),
                     PDP_ERR_OK);
        cr_expect(str_eq(gateway, STR("gw-7")));
        cr_expect(hash128_eq(is.id, was.id) && hash128_eq(is.subject, was.subject));
        cr_expect_eq(is.key, 5);
        cr_expect_eq(is.repeats[1].id, 21);
        cr_expect_eq(is.repeats[1].rule, UINT32_MAX);
        cr_expect_eq(is.last.lat_deg, 52.5);
        cr_expect_eq(is.last.geo_version, 0x5678);
        cr_expect_eq(is.last.agent_version, 1234);
        cr_expect_eq(is.last.agent_class, SIGHT_CLASS_TABLET);
        cr_expect(is.last.radius_km != is.last.radius_km, "NaN stays");
        cr_expect_eq(row_session_write(&is, STR("gw-7"), again), len);
        cr_expect_arr_eq(value, again, len, "all that was written was read");
    }
}

Test(session_row, answers_to_questions_are_not_kept)
{
    struct session_record was = full(SESSION_ACTIVE), is;
    was.repeats[2] = (struct session_repeat){.id = 5, .question = 6, .effect = PDP_EFFECT_ALLOW, .code = 1};
    unsigned char key[ROW_SESSION_KEY], value[ROW_BYTES_MAX];
    size_t key_len = row_session_key(&was, key), len = row_session_write(&was, STR(""), value);
    struct str gateway;
    cr_assert_eq(
        row_session_read((struct str){(char *)key, key_len}, (struct str){(char *)value, len}, &is, &gateway),
        PDP_ERR_OK);
    cr_expect_eq(is.repeats[2].id, 0);
}

Test(session_row, a_user_comes_back_as_it_was)
{
    struct user_record was = {.subject = {3, 4}, .first_seen_ms = T0, .cutoff_s = 17}, is;
    was.devices[7] = (struct user_device){1, 2, 3, 4, 5};
    was.minted[7] = 6;
    was.risk[USER_RISK_BYTES - 1] = 64;
    const struct row_names names = {STR("acme"), STR("user"), STR("alice")};
    struct row_names read;
    unsigned char key[ROW_USER_KEY], value[ROW_BYTES_MAX], again[ROW_BYTES_MAX];
    size_t key_len = row_user_key(was.subject, key), len = row_user_write(&was, &names, value);
    cr_assert_eq(
        row_user_read((struct str){(char *)key, key_len}, (struct str){(char *)value, len}, &is, &read),
        PDP_ERR_OK);
    cr_expect(str_eq(read.tenant, names.tenant) && str_eq(read.type, names.type) &&
              str_eq(read.id, names.id));
    cr_expect_eq(row_user_write(&is, &read, again), len);
    cr_expect_arr_eq(value, again, len);
}

Test(session_row, what_was_not_written_by_it_is_refused)
{
    struct session_record was = full(SESSION_ACTIVE), is;
    unsigned char key[ROW_SESSION_KEY], value[ROW_BYTES_MAX + 1] = {0};
    size_t key_len = row_session_key(&was, key), len = row_session_write(&was, STR("g"), value);
    struct str gateway, k = {(char *)key, key_len};
    for (size_t cut = 0; cut < len; cut++) {
        cr_expect_eq(row_session_read(k, (struct str){(char *)value, cut}, &is, &gateway), PDP_ERR_CORRUPT,
                     "cut to %zu", cut);
        cr_expect_eq(is.state, SESSION_NONE);
    }
    cr_expect_eq(row_session_read(k, (struct str){(char *)value, len + 1}, &is, &gateway), PDP_ERR_CORRUPT);
    cr_expect_eq(row_session_read((struct str){(char *)key, key_len - 1}, (struct str){(char *)value, len},
                                  &is, &gateway),
                 PDP_ERR_CORRUPT);
    value[0] = 4;
    cr_expect_eq(row_session_read(k, (struct str){(char *)value, len}, &is, &gateway), PDP_ERR_UNSUPPORTED);
    value[0] = 3;
    value[17] = SESSION_STATES; // the state
    cr_expect_eq(row_session_read(k, (struct str){(char *)value, len}, &is, &gateway), PDP_ERR_CORRUPT);
    value[17] = SESSION_NONE;
    cr_expect_eq(row_session_read(k, (struct str){(char *)value, len}, &is, &gateway), PDP_ERR_CORRUPT);
}

static size_t from_hex(const char *hex, unsigned char out[static ROW_BYTES_MAX])
{
    size_t len = strlen(hex) / 2;
    cr_assert_leq(len, ROW_BYTES_MAX);
    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;
        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (unsigned char)byte;
    }
    return len;
}

static struct str session_key(const struct session_record *record, unsigned char out[static ROW_SESSION_KEY])
{
    return (struct str){(char *)out, row_session_key(record, out)};
}

static bool all_zero(const unsigned char *bytes, size_t len)
{
    size_t set = 0;
    for (size_t i = 0; i < len; i++) {
        set += bytes[i] != 0;
    }
    return set == 0;
}

// Who said it was not written then: it may have been anybody, and lately.
Test(session_row, of_an_older_row_nobody_knows_whose_word_it_is)
{
    const struct session_record was = {.id = {11, 12}, .key = 5};
    struct session_record is;
    unsigned char key[ROW_SESSION_KEY], value[ROW_BYTES_MAX];
    size_t len = from_hex(OLD_SESSION_2, value);
    struct str gateway, k = session_key(&was, key);
    value[0] = 1;
    cr_expect_eq(row_session_read(k, (struct str){(char *)value, len}, &is, &gateway), PDP_ERR_CORRUPT);
    cr_assert_eq(row_session_read(k, (struct str){(char *)value, len - 9}, &is, &gateway), PDP_ERR_OK);
    cr_expect_eq(is.voucher, SESSION_PEERS_SEVERAL);
    cr_expect_eq(is.prover, SESSION_PEERS_SEVERAL);
    cr_expect_eq(is.vouched_s, 2);
    cr_expect_eq(is.undone, 0);
    cr_expect(str_eq(gateway, STR("gw-7")));
}

// All but the risk state, which is of another make; versions of geo data as they are compared now.
Test(session_row, a_session_of_format_2_loads)
{
    const struct session_record was = {.id = {11, 12}, .key = 5};
    struct session_record is;
    unsigned char key[ROW_SESSION_KEY], value[ROW_BYTES_MAX];
    size_t len = from_hex(OLD_SESSION_2, value);
    struct str gateway, k = session_key(&was, key);
    for (size_t cut = 0; cut < len; cut++) {
        cr_expect_eq(row_session_read(k, (struct str){(char *)value, cut}, &is, &gateway), PDP_ERR_CORRUPT);
    }
    cr_assert_eq(row_session_read(k, (struct str){(char *)value, len}, &is, &gateway), PDP_ERR_OK);
    cr_expect(hash128_eq(is.subject, (struct hash128){13, 14}));
    cr_expect_eq(is.requests, 99);
    cr_expect_eq(is.anchor.lat_deg, 52.5);
    cr_expect_eq(is.anchor.asn, 64500);
    cr_expect_eq(is.anchor.fingerprint, 17);
    cr_expect_eq(is.anchor.agent_family, 1);
    cr_expect_eq(is.anchor.agent_version, 0);
    cr_expect_eq(is.anchor.agent_class, SIGHT_CLASS_UNKNOWN);
    cr_expect_eq(is.anchor.geo_version, sight_geo_version(0x12345678));
    cr_expect_eq(is.last.geo_version, 1, "folded to nothing, but known");
    cr_expect(all_zero(is.risk, sizeof is.risk));
    cr_expect_eq(is.voucher, 700);
    cr_expect_eq(is.undone, SESSION_UNDONE_PROOFS);
    cr_expect(str_eq(gateway, STR("gw-7")));
}

Test(session_row, a_user_of_format_2_loads)
{
    struct user_record is;
    struct row_names names;
    unsigned char key[ROW_USER_KEY], value[ROW_BYTES_MAX];
    size_t key_len = row_user_key((struct hash128){3, 4}, key), len = from_hex(OLD_USER_2, value);
    cr_assert_eq(
        row_user_read((struct str){(char *)key, key_len}, (struct str){(char *)value, len}, &is, &names),
        PDP_ERR_OK);
    cr_expect(str_eq(names.id, STR("alice")));
    cr_expect_eq(is.first_seen_ms, 1000);
    cr_expect_eq(is.last.country, 0x4445);
    cr_expect_eq(is.cutoff_s, 17);
    cr_expect_eq(is.device_by[7], 8);
    cr_expect(all_zero(is.risk, sizeof is.risk));
}

Test(session_row, an_agent_of_no_known_class_is_refused)
{
    struct session_record was = full(SESSION_ACTIVE), is;
    unsigned char key[ROW_SESSION_KEY], value[ROW_BYTES_MAX], other[ROW_BYTES_MAX];
    size_t len = row_session_write(&was, STR("g"), value), at = 0;
    was.last.agent_class = SIGHT_CLASS_MOBILE;
    cr_assert_eq(row_session_write(&was, STR("g"), other), len);
    while (at < len && value[at] == other[at]) {
        at++;
    }
    cr_assert_lt(at, len);
    struct str gateway, k = session_key(&was, key);
    cr_expect_eq(row_session_read(k, (struct str){(char *)value, len}, &is, &gateway), PDP_ERR_OK);
    value[at] = SIGHT_CLASS_COUNT;
    cr_expect_eq(row_session_read(k, (struct str){(char *)value, len}, &is, &gateway), PDP_ERR_CORRUPT);
}
