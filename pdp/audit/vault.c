// SPDX-License-Identifier: Apache-2.0
#include "audit/vault.h"

#include "audit/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HASH_BYTES = 16,
    SECRET_BYTES = 32,
    HEAD_BYTES = 8 + SECRET_BYTES,
    ENTRY_BYTES = ENVELOPE_KEY_ID_BYTES + HASH_BYTES + AEAD_KEY_BYTES
};
static const char MAGIC[8] = {'P', 'D', 'P', 'U', 'S', 'E', 'R', '1'};
static const size_t ENTRIES_MAX = 64U * 1024 * 1024;

struct entry {
    uint8_t id[ENVELOPE_KEY_ID_BYTES], hash[HASH_BYTES], key[AEAD_KEY_BYTES];
};
_Static_assert(sizeof(struct entry) == ENTRY_BYTES, "an entry is as the file has it");

struct vault {
    int fd;
    bool writes, dirty;
    vault_draw *draw;
    uint8_t secret[SECRET_BYTES];
    struct entry *entries;
    size_t count, cap;
    uint32_t *by_hash, *by_id; // number of the entry + 1; 0: free. Both have `places`, a power of two
    size_t places;
};

void vault_close(struct vault **vault_ptr)
{
    struct vault *vault = STEAL(*vault_ptr);
    if (vault != NULL) {
        if (vault->fd >= 0) {
            close(vault->fd);
        }
        if (vault->entries != NULL) {
            seal_wipe(vault->entries, vault->cap * sizeof *vault->entries);
        }
        free(vault->entries);
        free(vault->by_hash);
        free(vault->by_id);
        seal_wipe(vault->secret, sizeof vault->secret);
        free(vault);
    }
}

// ---- Places: ids are drawn and hashes are keyed, so their first bytes spread well ------------------

static size_t place_of(const struct vault *vault, const uint8_t *name)
{
    uint64_t first;
    memcpy(&first, name, sizeof first);
    return (size_t)first & (vault->places - 1);
}

static void place_put(const struct vault *vault, uint32_t *table, const uint8_t *name, size_t number)
{
    size_t at = place_of(vault, name);
    while (table[at] != 0) {
        at = (at + 1) & (vault->places - 1);
    }
    table[at] = (uint32_t)number + 1;
}

static bool is_destroyed(const struct entry *entry)
{
    static const uint8_t NOTHING[ENVELOPE_KEY_ID_BYTES];
    return memcmp(entry->id, NOTHING, sizeof NOTHING) == 0;
}

static void index_entry(struct vault *vault, size_t number)
{
    const struct entry *entry = &vault->entries[number];
    if (!is_destroyed(entry)) {
        place_put(vault, vault->by_hash, entry->hash, number);
        place_put(vault, vault->by_id, entry->id, number);
    }
}

// Destroyed entries leave their places behind; they go with the next growth.
static enum pdp_err make_places(struct vault *vault, size_t places)
{
    uint32_t *by_hash = calloc(places, sizeof *by_hash), *by_id = calloc(places, sizeof *by_id);
    if (by_hash == NULL || by_id == NULL) {
        free(by_hash);
        free(by_id);
        return PDP_ERR_NOMEM;
    }
    free(vault->by_hash);
    free(vault->by_id);
    vault->by_hash = by_hash;
    vault->by_id = by_id;
    vault->places = places;
    for (size_t i = 0; i < vault->count; i++) {
        index_entry(vault, i);
    }
    return PDP_ERR_OK;
}

static enum pdp_err make_room(struct vault *vault, size_t count)
{
    if (count > ENTRIES_MAX) {
        return PDP_ERR_LIMIT;
    }
    if (count > vault->cap) {
        size_t cap = vault->cap * 2 > count ? vault->cap * 2 : count + 64;
        struct entry *entries = calloc(cap, sizeof *entries);
        if (entries == NULL) {
            return PDP_ERR_NOMEM;
        }
        if (vault->count > 0) {
            memcpy(entries, vault->entries, vault->count * sizeof *entries);
            seal_wipe(vault->entries, vault->count * sizeof *entries);
        }
        free(vault->entries);
        vault->entries = entries;
        vault->cap = cap;
    }
    size_t places = vault->places > 0 ? vault->places : 128;
    while (places < count * 2) {
        places *= 2;
    }
    return places != vault->places ? make_places(vault, places) : PDP_ERR_OK;
}

static const struct entry *find(const struct vault *vault, const uint32_t *table, const uint8_t *name,
                                bool by_id)
{
    for (size_t at = vault->places > 0 ? place_of(vault, name) : 0; vault->places > 0 && table[at] != 0;
         at = (at + 1) & (vault->places - 1)) {
        const struct entry *entry = &vault->entries[table[at] - 1];
        if (!is_destroyed(entry) && memcmp(by_id ? entry->id : entry->hash, name, HASH_BYTES) == 0) {
            return entry;
        }
    }
    return NULL;
}

// ---- The file ------------------------------------------------------------------------------------

static enum pdp_err begin_file(struct vault *vault)
{
    unsigned char head[HEAD_BYTES];
    if (!vault->writes) {
        return PDP_ERR_CORRUPT;
    }
    if (!vault->draw(vault->secret, sizeof vault->secret)) {
        return PDP_ERR_IO;
    }
    memcpy(head, MAGIC, sizeof MAGIC);
    memcpy(head + sizeof MAGIC, vault->secret, sizeof vault->secret);
    enum pdp_err err = files_write(vault->fd, 0, (struct str){(const char *)head, sizeof head});
    seal_wipe(head, sizeof head);
    return err == PDP_ERR_OK && fsync(vault->fd) != 0 ? PDP_ERR_IO : err;
}

static enum pdp_err load(struct vault *vault, size_t size)
{
    unsigned char head[HEAD_BYTES];
    TRY(files_read_exactly(vault->fd, 0, head, sizeof head));
    if (memcmp(head, MAGIC, sizeof MAGIC) != 0) {
        return PDP_ERR_CORRUPT;
    }
    memcpy(vault->secret, head + sizeof MAGIC, sizeof vault->secret);
    size_t count = (size - HEAD_BYTES) / ENTRY_BYTES;
    TRY(make_room(vault, count));
    TRY(files_read_exactly(vault->fd, HEAD_BYTES, vault->entries, count * ENTRY_BYTES));
    vault->count = count;
    return make_places(vault, vault->places);
}

static enum pdp_err open_file(struct vault *vault)
{
    struct stat info;
    if (fstat(vault->fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        return PDP_ERR_IO;
    }
    size_t size = (size_t)info.st_size;
    if (size < HEAD_BYTES) { // of a crash in the first moment; nothing was sealed under it
        return begin_file(vault);
    }
    TRY(load(vault, size));
    size_t whole = HEAD_BYTES + vault->count * ENTRY_BYTES;
    return vault->writes && whole < size && ftruncate(vault->fd, (off_t)whole) != 0 ? PDP_ERR_IO : PDP_ERR_OK;
}

enum pdp_err vault_open(const char *path, bool writes, vault_draw *draw, struct vault **out)
{
    *out = NULL;
    AUTO(vault_close) struct vault *vault = calloc(1, sizeof *vault);
    if (vault == NULL) {
        return PDP_ERR_NOMEM;
    }
    vault->writes = writes;
    vault->draw = draw;
    vault->fd = open(path, (writes ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (vault->fd < 0) {
        return errno == ENOENT ? PDP_ERR_MISSING : PDP_ERR_IO;
    }
    TRY(make_room(vault, 1));
    TRY(open_file(vault));
    *out = STEAL(vault);
    return PDP_ERR_OK;
}

// ---- Keys ----------------------------------------------------------------------------------------

static enum pdp_err hash_user(const struct vault *vault, struct str user, uint8_t out[static HASH_BYTES])
{
    uint8_t digest[SEAL_BYTES];
    TRY(seal_hmac(vault->secret, sizeof vault->secret, user.at, user.len, digest));
    memcpy(out, digest, HASH_BYTES);
    return PDP_ERR_OK;
}

static enum pdp_err add(struct vault *vault, const uint8_t hash[static HASH_BYTES])
{
    struct entry entry;
    TRY(make_room(vault, vault->count + 1));
    memcpy(entry.hash, hash, sizeof entry.hash);
    if (!vault->draw(entry.id, sizeof entry.id) || !vault->draw(entry.key, sizeof entry.key)) {
        return PDP_ERR_IO;
    }
    TRY(files_write(vault->fd, HEAD_BYTES + vault->count * ENTRY_BYTES,
                    (struct str){(const char *)&entry, sizeof entry}));
    vault->entries[vault->count] = entry;
    index_entry(vault, vault->count++);
    vault->dirty = true;
    seal_wipe(&entry, sizeof entry);
    return PDP_ERR_OK;
}

enum pdp_err vault_key(struct vault *vault, struct str user, struct user_key *out)
{
    uint8_t hash[HASH_BYTES];
    *out = (struct user_key){0};
    TRY(hash_user(vault, user, hash));
    const struct entry *entry = find(vault, vault->by_hash, hash, false);
    if (entry == NULL) {
        TRY(add(vault, hash));
        entry = &vault->entries[vault->count - 1];
    }
    memcpy(out->id, entry->id, sizeof out->id);
    memcpy(out->key, entry->key, sizeof out->key);
    return PDP_ERR_OK;
}

bool vault_find(const struct vault *vault, const uint8_t id[static ENVELOPE_KEY_ID_BYTES],
                uint8_t key[static AEAD_KEY_BYTES])
{
    const struct entry *entry = find(vault, vault->by_id, id, true);
    memset(key, 0, AEAD_KEY_BYTES);
    if (entry != NULL) {
        memcpy(key, entry->key, AEAD_KEY_BYTES);
    }
    return entry != NULL;
}

enum pdp_err vault_forget(struct vault *vault, struct str user, size_t *count)
{
    static const struct entry NOTHING;
    uint8_t hash[HASH_BYTES];
    *count = 0;
    TRY(hash_user(vault, user, hash));
    for (const struct entry *entry = find(vault, vault->by_hash, hash, false); entry != NULL;
         entry = find(vault, vault->by_hash, hash, false)) {
        size_t number = (size_t)(entry - vault->entries);
        TRY(files_write(vault->fd, HEAD_BYTES + number * ENTRY_BYTES,
                        (struct str){(const char *)&NOTHING, sizeof NOTHING}));
        seal_wipe(&vault->entries[number], sizeof NOTHING);
        vault->dirty = true;
        ++*count;
    }
    return vault_sync(vault);
}

enum pdp_err vault_sync(struct vault *vault)
{
    if (vault->dirty && fdatasync(vault->fd) != 0) {
        return PDP_ERR_IO;
    }
    vault->dirty = false;
    return PDP_ERR_OK;
}
