// SPDX-License-Identifier: Apache-2.0
#include "session/row.h"

#include "help.h"

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

// Who said it was not written then: it may have been anybody, and lately.
Test(session_row, of_an_older_row_nobody_knows_whose_word_it_is)
{
    struct session_record was = full(SESSION_ACTIVE), is;
    unsigned char key[ROW_SESSION_KEY], value[ROW_BYTES_MAX];
    size_t key_len = row_session_key(&was, key), len = row_session_write(&was, STR("g"), value);
    struct str gateway, k = {(char *)key, key_len};
    value[0] = 1;
    cr_expect_eq(row_session_read(k, (struct str){(char *)value, len}, &is, &gateway), PDP_ERR_CORRUPT);
    cr_assert_eq(row_session_read(k, (struct str){(char *)value, len - 9}, &is, &gateway), PDP_ERR_OK);
    cr_expect_eq(is.voucher, SESSION_PEERS_SEVERAL);
    cr_expect_eq(is.prover, SESSION_PEERS_SEVERAL);
    cr_expect_eq(is.vouched_s, (uint32_t)(was.last_seen_ms / 1000));
    cr_expect_eq(is.undone, 0);
    cr_expect(str_eq(gateway, STR("g")));
}

// Risk was kept in another form then, and a user's was smaller: the rest of the row holds.
Test(session_row, of_an_older_row_risk_begins_anew)
{
    struct session_record was = full(SESSION_ACTIVE), is;
    unsigned char key[ROW_SESSION_KEY], value[ROW_BYTES_MAX];
    size_t key_len = row_session_key(&was, key), len = row_session_write(&was, STR("g"), value);
    struct str gateway;
    value[0] = 2;
    cr_assert_eq(
        row_session_read((struct str){(char *)key, key_len}, (struct str){(char *)value, len}, &is, &gateway),
        PDP_ERR_OK);
    cr_expect_eq(is.risk[17], 0);
    cr_expect_eq(is.epoch, was.epoch);

    struct user_record user = {.subject = {3, 4}, .cutoff_s = 17}, read;
    const struct row_names names = {STR("acme"), STR("user"), STR("alice")};
    struct row_names read_names;
    memset(user.risk, 0x5a, sizeof user.risk);
    user.device_by[USER_DEVICES - 1] = 9;
    key_len = row_user_key(user.subject, key);
    len = row_user_write(&user, &names, value);
    const size_t tail = sizeof user.device_by, cut = USER_RISK_BYTES - 64;
    memmove(value + len - tail - cut, value + len - tail, tail);
    value[0] = 2;
    cr_assert_eq(row_user_read((struct str){(char *)key, key_len}, (struct str){(char *)value, len - cut},
                               &read, &read_names),
                 PDP_ERR_OK);
    cr_expect_eq(read.risk[0], 0);
    cr_expect_eq(read.cutoff_s, 17);
    cr_expect_eq(read.device_by[USER_DEVICES - 1], 9);
}
