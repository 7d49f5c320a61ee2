// SPDX-License-Identifier: Apache-2.0
#include "audit/users.h"

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

struct users {
    int fd;
    bool writes, dirty;
    users_draw *draw;
    uint8_t secret[SECRET_BYTES];
    struct entry *entries;
    size_t count, cap;
    uint32_t *by_hash, *by_id; // number of the entry + 1; 0: free. Both have `places`, a power of two
    size_t places;
};

void users_close(struct users **users_ptr)
{
    struct users *users = STEAL(*users_ptr);
    if (users != NULL) {
        if (users->fd >= 0) {
            close(users->fd);
        }
        if (users->entries != NULL) {
            seal_wipe(users->entries, users->cap * sizeof *users->entries);
        }
        free(users->entries);
        free(users->by_hash);
        free(users->by_id);
        seal_wipe(users->secret, sizeof users->secret);
        free(users);
    }
}

// ---- Places: ids are drawn and hashes are keyed, so their first bytes spread well ------------------

static size_t place_of(const struct users *users, const uint8_t *name)
{
    uint64_t first;
    memcpy(&first, name, sizeof first);
    return (size_t)first & (users->places - 1);
}

static void place_put(const struct users *users, uint32_t *table, const uint8_t *name, size_t number)
{
    size_t at = place_of(users, name);
    while (table[at] != 0) {
        at = (at + 1) & (users->places - 1);
    }
    table[at] = (uint32_t)number + 1;
}

static bool is_destroyed(const struct entry *entry)
{
    static const uint8_t NOTHING[ENVELOPE_KEY_ID_BYTES];
    return memcmp(entry->id, NOTHING, sizeof NOTHING) == 0;
}

static void index_entry(struct users *users, size_t number)
{
    const struct entry *entry = &users->entries[number];
    if (!is_destroyed(entry)) {
        place_put(users, users->by_hash, entry->hash, number);
        place_put(users, users->by_id, entry->id, number);
    }
}

// Destroyed entries leave their places behind; they go with the next growth.
static enum pdp_err make_places(struct users *users, size_t places)
{
    uint32_t *by_hash = calloc(places, sizeof *by_hash), *by_id = calloc(places, sizeof *by_id);
    if (by_hash == NULL || by_id == NULL) {
        free(by_hash);
        free(by_id);
        return PDP_ERR_NOMEM;
    }
    free(users->by_hash);
    free(users->by_id);
    users->by_hash = by_hash;
    users->by_id = by_id;
    users->places = places;
    for (size_t i = 0; i < users->count; i++) {
        index_entry(users, i);
    }
    return PDP_ERR_OK;
}

static enum pdp_err make_room(struct users *users, size_t count)
{
    if (count > ENTRIES_MAX) {
        return PDP_ERR_LIMIT;
    }
    if (count > users->cap) {
        size_t cap = users->cap * 2 > count ? users->cap * 2 : count + 64;
        struct entry *entries = calloc(cap, sizeof *entries);
        if (entries == NULL) {
            return PDP_ERR_NOMEM;
        }
        if (users->count > 0) {
            memcpy(entries, users->entries, users->count * sizeof *entries);
            seal_wipe(users->entries, users->count * sizeof *entries);
        }
        free(users->entries);
        users->entries = entries;
        users->cap = cap;
    }
    size_t places = users->places > 0 ? users->places : 128;
    while (places < count * 2) {
        places *= 2;
    }
    return places != users->places ? make_places(users, places) : PDP_ERR_OK;
}

static const struct entry *find(const struct users *users, const uint32_t *table, const uint8_t *name,
                                bool by_id)
{
    for (size_t at = users->places > 0 ? place_of(users, name) : 0; users->places > 0 && table[at] != 0;
         at = (at + 1) & (users->places - 1)) {
        const struct entry *entry = &users->entries[table[at] - 1];
        if (!is_destroyed(entry) && memcmp(by_id ? entry->id : entry->hash, name, HASH_BYTES) == 0) {
            return entry;
        }
    }
    return NULL;
}

// ---- The file ------------------------------------------------------------------------------------

static enum pdp_err begin_file(struct users *users)
{
    unsigned char head[HEAD_BYTES];
    if (!users->writes) {
        return PDP_ERR_CORRUPT;
    }
    if (!users->draw(users->secret, sizeof users->secret)) {
        return PDP_ERR_IO;
    }
    memcpy(head, MAGIC, sizeof MAGIC);
    memcpy(head + sizeof MAGIC, users->secret, sizeof users->secret);
    enum pdp_err err = files_write(users->fd, 0, (struct str){(const char *)head, sizeof head});
    seal_wipe(head, sizeof head);
    return err == PDP_ERR_OK && fsync(users->fd) != 0 ? PDP_ERR_IO : err;
}

static enum pdp_err load(struct users *users, size_t size)
{
    unsigned char head[HEAD_BYTES];
    TRY(files_read_exactly(users->fd, 0, head, sizeof head));
    if (memcmp(head, MAGIC, sizeof MAGIC) != 0) {
        return PDP_ERR_CORRUPT;
    }
    memcpy(users->secret, head + sizeof MAGIC, sizeof users->secret);
    size_t count = (size - HEAD_BYTES) / ENTRY_BYTES;
    TRY(make_room(users, count));
    TRY(files_read_exactly(users->fd, HEAD_BYTES, users->entries, count * ENTRY_BYTES));
    users->count = count;
    return make_places(users, users->places);
}

static enum pdp_err open_file(struct users *users)
{
    struct stat info;
    if (fstat(users->fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        return PDP_ERR_IO;
    }
    size_t size = (size_t)info.st_size;
    if (size < HEAD_BYTES) { // of a crash in the first moment; nothing was sealed under it
        return begin_file(users);
    }
    TRY(load(users, size));
    size_t whole = HEAD_BYTES + users->count * ENTRY_BYTES;
    return users->writes && whole < size && ftruncate(users->fd, (off_t)whole) != 0 ? PDP_ERR_IO : PDP_ERR_OK;
}

enum pdp_err users_open(const char *path, bool writes, users_draw *draw, struct users **out)
{
    *out = NULL;
    AUTO(users_close) struct users *users = calloc(1, sizeof *users);
    if (users == NULL) {
        return PDP_ERR_NOMEM;
    }
    users->writes = writes;
    users->draw = draw;
    users->fd = open(path, (writes ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (users->fd < 0) {
        return errno == ENOENT ? PDP_ERR_MISSING : PDP_ERR_IO;
    }
    TRY(make_room(users, 1));
    TRY(open_file(users));
    *out = STEAL(users);
    return PDP_ERR_OK;
}

// ---- Keys ----------------------------------------------------------------------------------------

static enum pdp_err hash_user(const struct users *users, struct str user, uint8_t out[static HASH_BYTES])
{
    uint8_t digest[SEAL_BYTES];
    TRY(seal_hmac(users->secret, sizeof users->secret, user.at, user.len, digest));
    memcpy(out, digest, HASH_BYTES);
    return PDP_ERR_OK;
}

static enum pdp_err add(struct users *users, const uint8_t hash[static HASH_BYTES])
{
    struct entry entry;
    TRY(make_room(users, users->count + 1));
    memcpy(entry.hash, hash, sizeof entry.hash);
    if (!users->draw(entry.id, sizeof entry.id) || !users->draw(entry.key, sizeof entry.key)) {
        return PDP_ERR_IO;
    }
    TRY(files_write(users->fd, HEAD_BYTES + users->count * ENTRY_BYTES,
                    (struct str){(const char *)&entry, sizeof entry}));
    users->entries[users->count] = entry;
    index_entry(users, users->count++);
    users->dirty = true;
    seal_wipe(&entry, sizeof entry);
    return PDP_ERR_OK;
}

enum pdp_err users_key(struct users *users, struct str user, struct user_key *out)
{
    uint8_t hash[HASH_BYTES];
    *out = (struct user_key){0};
    TRY(hash_user(users, user, hash));
    const struct entry *entry = find(users, users->by_hash, hash, false);
    if (entry == NULL) {
        TRY(add(users, hash));
        entry = &users->entries[users->count - 1];
    }
    memcpy(out->id, entry->id, sizeof out->id);
    memcpy(out->key, entry->key, sizeof out->key);
    return PDP_ERR_OK;
}

bool users_find(const struct users *users, const uint8_t id[static ENVELOPE_KEY_ID_BYTES],
                uint8_t key[static AEAD_KEY_BYTES])
{
    const struct entry *entry = find(users, users->by_id, id, true);
    memset(key, 0, AEAD_KEY_BYTES);
    if (entry != NULL) {
        memcpy(key, entry->key, AEAD_KEY_BYTES);
    }
    return entry != NULL;
}

enum pdp_err users_forget(struct users *users, struct str user, size_t *count)
{
    static const struct entry NOTHING;
    uint8_t hash[HASH_BYTES];
    *count = 0;
    TRY(hash_user(users, user, hash));
    for (const struct entry *entry = find(users, users->by_hash, hash, false); entry != NULL;
         entry = find(users, users->by_hash, hash, false)) {
        size_t number = (size_t)(entry - users->entries);
        TRY(files_write(users->fd, HEAD_BYTES + number * ENTRY_BYTES,
                        (struct str){(const char *)&NOTHING, sizeof NOTHING}));
        seal_wipe(&users->entries[number], sizeof NOTHING);
        users->dirty = true;
        ++*count;
    }
    return users_sync(users);
}

enum pdp_err users_sync(struct users *users)
{
    if (users->dirty && fdatasync(users->fd) != 0) {
        return PDP_ERR_IO;
    }
    users->dirty = false;
    return PDP_ERR_OK;
}
