// SPDX-License-Identifier: Apache-2.0
#include "session/row.h"

#include "base/num.h"

// 2: risk in another form, no class and version of agents; 1: without what says whose word it is
#define FORMAT 3
#define USER_RISK_BEFORE 64 // bytes, up to format 2

// One walk over the fields serves both directions, so that they cannot differ. All of it is inlined into two
// functions for each kind of row, of which each knows its direction: a start reads millions.
struct io {
    bool writes, bad;
    unsigned char *to;
    const unsigned char *from;
    size_t at, len; // len: what may be read or written
};
#define INLINE __attribute__((always_inline)) static inline

INLINE void io_bytes(struct io *io, void *bytes, size_t len)
{
    if (io->bad || io->len - io->at < len) {
        io->bad = true;
        return;
    }
    if (io->writes) {
        memcpy(io->to + io->at, bytes, len);
    } else {
        memcpy(bytes, io->from + io->at, len);
    }
    io->at += len;
}

// Little end first, whatever the machine.
INLINE uint64_t io_order(uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

INLINE void io_number(struct io *io, uint64_t *value, size_t bytes)
{
    uint64_t ordered = io->writes ? io_order(*value) : 0;
    io_bytes(io, &ordered, bytes);
    if (!io->writes) {
        *value = io_order(ordered);
    }
}

#define IO_AS(name, type, bytes)                 \
    INLINE void name(struct io *io, type *value) \
    {                                            \
        uint64_t number = (uint64_t)*value;      \
        io_number(io, &number, bytes);           \
        *value = (type)number;                   \
    }
IO_AS(io_u8, uint8_t, 1)
IO_AS(io_u16, uint16_t, 2)
IO_AS(io_u32, uint32_t, 4)
IO_AS(io_u64, uint64_t, 8)
IO_AS(io_i64, int64_t, 8)

INLINE void io_double(struct io *io, double *value)
{
    uint64_t bits = 0;
    memcpy(&bits, value, sizeof bits);
    io_number(io, &bits, sizeof bits);
    memcpy(value, &bits, sizeof bits);
}

INLINE void io_hash(struct io *io, struct hash128 *hash)
{
    io_u64(io, &hash->lo);
    io_u64(io, &hash->hi);
}

// Returns the format that is read, or written.
INLINE uint8_t io_format(struct io *io)
{
    uint8_t format = FORMAT;
    io_u8(io, &format);
    io->bad = io->bad || format == 0 || format > FORMAT;
    return format;
}

// A text of at most `most` bytes, of which `field` holds those up to its size; longer says that it was cut.
INLINE void io_text(struct io *io, char *field, size_t size, uint8_t *len)
{
    io_u8(io, len);
    io_bytes(io, field, *len < size ? *len : size);
}

INLINE void io_name(struct io *io, struct str *name, size_t most)
{
    uint16_t len = (uint16_t)name->len;
    io_u16(io, &len);
    if (io->bad || len > most || io->len - io->at < len) {
        io->bad = true;
        return;
    }
    if (io->writes) {
        if (len != 0) {
            memcpy(io->to + io->at, name->at, len);
        }
    } else {
        *name = (struct str){(const char *)io->from + io->at, len};
    }
    io->at += len;
}

INLINE void io_agent(struct io *io, uint8_t format, struct sighting *s)
{
    io_u16(io, &s->agent_family);
    io_u16(io, &s->agent_os);
    if (format >= 3) {
        io_u16(io, &s->agent_version);
        io_u8(io, &s->agent_class);
        io->bad = io->bad || s->agent_class >= SIGHT_CLASS_COUNT;
    }
}

INLINE void io_geo_version(struct io *io, uint8_t format, uint16_t *version)
{
    uint32_t whole = 0;
    if (format >= 3) {
        io_u16(io, version);
        return;
    }
    io_u32(io, &whole);
    *version = sight_geo_version(whole);
}

INLINE void io_sighting(struct io *io, uint8_t format, struct sighting *s)
{
    io_i64(io, &s->at_ms);
    io_double(io, &s->lat_deg);
    io_double(io, &s->lon_deg);
    io_double(io, &s->radius_km);
    uint8_t v4 = s->ip.v4;
    io_bytes(io, s->ip.bytes, sizeof s->ip.bytes);
    io_u8(io, &v4);
    io->bad = io->bad || v4 > 1;
    s->ip.v4 = v4 == 1;
    io_u32(io, &s->asn);
    io_u16(io, &s->country);
    io_u16(io, &s->flags);
    io_geo_version(io, format, &s->geo_version);
    io_agent(io, format, s);
    io_u64(io, &s->fingerprint);
}

// Those of events: nothing of an answer is kept that policies gave.
INLINE void io_repeats(struct io *io, struct session_record *record)
{
    for (size_t i = 0; i < SESSION_REPEATS; i++) {
        struct session_repeat *repeat = &record->repeats[i];
        struct session_repeat kept = {.rule = UINT32_MAX};
        if (io->writes && repeat->effect == 0 && repeat->code == 0) {
            kept.id = repeat->id;
            kept.question = repeat->question;
        }
        io_u64(io, &kept.id);
        io_u64(io, &kept.question);
        if (!io->writes) {
            *repeat = kept;
        }
    }
}

INLINE void io_flags(struct io *io, struct session_record *record)
{
    io_u8(io, &record->state);
    io_u8(io, &record->end_code);
    io_u8(io, &record->issued);
    io_u8(io, &record->asserted);
    io_u8(io, &record->asked_strength);
    io_u8(io, &record->repeat_next);
    io->bad = io->bad || record->state == SESSION_NONE || record->state >= SESSION_STATES ||
              record->end_code >= PDP_CODE_COUNT || record->issued > 1 || record->asserted > 1 ||
              record->repeat_next >= SESSION_REPEATS;
}

// Of an older row nobody knows whose word it is. The peer that spoke last may have said all of it, and
// lately.
INLINE void io_word(struct io *io, uint8_t format, struct session_record *record)
{
    if (format < 2) {
        record->voucher = record->prover = SESSION_PEERS_SEVERAL;
        record->vouched_s = (uint32_t)num_max(0, num_min(record->last_seen_ms / 1000, UINT32_MAX));
        return;
    }
    io_u16(io, &record->voucher);
    io_u16(io, &record->prover);
    io_u32(io, &record->vouched_s);
    io_u8(io, &record->undone);
    io->bad = io->bad || record->undone > (SESSION_UNDONE_AUTH | SESSION_UNDONE_PROOFS);
}

// Risk in the form of an earlier row is not known any more: it begins anew.
INLINE void io_risk(struct io *io, uint8_t format, unsigned char *risk, size_t size, size_t before)
{
    io_bytes(io, risk, format < 3 ? before : size);
    if (format < 3) {
        memset(risk, 0, size);
    }
}

INLINE void io_session(struct io *io, struct session_record *record, struct str *gateway)
{
    const uint8_t format = io_format(io);
    io_hash(io, &record->subject);
    io_flags(io, record);
    io_i64(io, &record->auth_time_ms);
    io_i64(io, &record->first_seen_ms);
    io_i64(io, &record->last_seen_ms);
    io_i64(io, &record->ended_ms);
    io_i64(io, &record->keep_until_ms);
    io_i64(io, &record->over_ms);
    io_i64(io, &record->id_since_ms);
    io_hash(io, &record->successor);
    io_i64(io, &record->rotated_ms);
    io_i64(io, &record->overlap_until_ms);
    io_u32(io, &record->epoch);
    io_u32(io, &record->requests);
    io_u32(io, &record->asked_max_age_s);
    for (size_t i = 0; i < SESSION_PROOFS; i++) {
        io_u32(io, &record->proofs[i].name);
        io_u32(io, &record->proofs[i].at_s);
    }
    io_text(io, record->acr, sizeof record->acr, &record->acr_len);
    io_text(io, record->amr, sizeof record->amr, &record->amr_len);
    io_sighting(io, format, &record->anchor);
    io_sighting(io, format, &record->last);
    io_repeats(io, record);
    io_risk(io, format, record->risk, sizeof record->risk, sizeof record->risk);
    io_name(io, gateway, UINT8_MAX);
    io_word(io, format, record);
}

INLINE void io_user(struct io *io, struct user_record *record, struct row_names *names)
{
    const uint8_t format = io_format(io);
    io_name(io, &names->tenant, REQUEST_ID_MAX);
    io_name(io, &names->type, REQUEST_ID_MAX);
    io_name(io, &names->id, REQUEST_ID_MAX);
    io_i64(io, &record->first_seen_ms);
    io_sighting(io, format, &record->last);
    for (size_t i = 0; i < USER_DEVICES; i++) {
        io_u64(io, &record->devices[i].fingerprint);
        io_u32(io, &record->devices[i].first_s);
        io_u32(io, &record->devices[i].last_s);
        io_u32(io, &record->devices[i].since_s);
        io_u32(io, &record->devices[i].until_s);
    }
    for (size_t i = 0; i < USER_MINTED; i++) {
        io_u64(io, &record->minted[i]);
    }
    io_u32(io, &record->cutoff_s);
    io_risk(io, format, record->risk, sizeof record->risk, USER_RISK_BEFORE);
    for (size_t i = 0; format >= 2 && i < USER_DEVICES; i++) {
        io_u32(io, &record->device_by[i]);
    }
}

static struct io io_to(unsigned char *out, size_t room)
{
    return (struct io){.writes = true, .to = out, .len = room};
}

static struct io io_from(struct str bytes)
{
    return (struct io){.from = (const unsigned char *)bytes.at, .len = bytes.len};
}

static size_t io_end(const struct io *io)
{
    invariant(!io->bad);
    return io->at;
}

size_t row_session_key(const struct session_record *record, unsigned char out[static ROW_SESSION_KEY])
{
    struct io io = io_to(out, ROW_SESSION_KEY);
    uint8_t number = record->key;
    struct hash128 id = record->id;
    io_u8(&io, &number);
    io_hash(&io, &id);
    return io_end(&io);
}

size_t row_session_write(const struct session_record *record, struct str gateway,
                         unsigned char out[static ROW_BYTES_MAX])
{
    struct io io = io_to(out, ROW_BYTES_MAX);
    struct session_record copy = *record;
    io_session(&io, &copy, &gateway);
    return io_end(&io);
}

size_t row_user_key(struct hash128 subject, unsigned char out[static ROW_USER_KEY])
{
    struct io io = io_to(out, ROW_USER_KEY);
    io_hash(&io, &subject);
    return io_end(&io);
}

size_t row_user_write(const struct user_record *record, const struct row_names *names,
                      unsigned char out[static ROW_BYTES_MAX])
{
    struct io io = io_to(out, ROW_BYTES_MAX);
    struct user_record copy = *record;
    struct row_names same = *names;
    io_user(&io, &copy, &same);
    return io_end(&io);
}

// What was read to the end, and no further.
static enum pdp_err outcome(const struct io *io, struct str value)
{
    if (value.len > 0 && (unsigned char)value.at[0] > FORMAT) {
        return PDP_ERR_UNSUPPORTED;
    }
    return io->bad || io->at != io->len ? PDP_ERR_CORRUPT : PDP_ERR_OK;
}

enum pdp_err row_session_read(struct str key, struct str value, struct session_record *out,
                              struct str *gateway)
{
    struct io io = io_from(value), name = io_from(key);
    *out = (struct session_record){0};
    *gateway = (struct str){0};
    io_session(&io, out, gateway);
    io_u8(&name, &out->key);
    io_hash(&name, &out->id);
    enum pdp_err err = outcome(&io, value);
    bool named =
        !name.bad && name.at == name.len && out->key < SESSION_KEYS && (out->id.lo | out->id.hi) != 0;
    if (err != PDP_ERR_OK || !named) {
        *out = (struct session_record){0};
        *gateway = (struct str){0};
        return err != PDP_ERR_OK ? err : PDP_ERR_CORRUPT;
    }
    return PDP_ERR_OK;
}

enum pdp_err row_user_read(struct str key, struct str value, struct user_record *out, struct row_names *names)
{
    struct io io = io_from(value), name = io_from(key);
    *out = (struct user_record){0};
    *names = (struct row_names){0};
    io_user(&io, out, names);
    io_hash(&name, &out->subject);
    enum pdp_err err = outcome(&io, value);
    if (err != PDP_ERR_OK || name.bad || name.at != name.len) {
        *out = (struct user_record){0};
        *names = (struct row_names){0};
        return err != PDP_ERR_OK ? err : PDP_ERR_CORRUPT;
    }
    return PDP_ERR_OK;
}
