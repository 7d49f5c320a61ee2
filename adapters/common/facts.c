// SPDX-License-Identifier: Apache-2.0
#include "common/facts.h"

#include <ctype.h>
#include <stdlib.h>

enum {
    SCHEME_MOST = 16
};

static void put(struct pdp_question *question, const char *path, struct text text)
{
    if (text.at != NULL) {
        (void)pdp_question_set_text_n(question, path, text.at, text.len);
    }
}

// A list of texts. The library takes C strings, so each is copied once.
static void put_list(struct pdp_question *question, const char *path, const struct text *list, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += list[i].len + 1;
    }
    if (count == 0) {
        return;
    }
    char *copy = malloc(bytes);
    const char **texts = malloc(count * sizeof *texts);
    bool ok = copy != NULL && texts != NULL;
    char *at = copy;
    for (size_t i = 0; ok && i < count; i++) {
        ok = list[i].len == 0 || memchr(list[i].at, '\0', list[i].len) == NULL;
        texts[i] = at;
        if (ok && list[i].len > 0) {
            memcpy(at, list[i].at, list[i].len);
        }
        at += ok ? list[i].len : 0;
        *at++ = '\0';
    }
    if (ok) {
        (void)pdp_question_set_texts(question, path, texts, count);
    } else {
        (void)pdp_question_set_text_n(question, path, "\xff", 1); // no text: the question is broken for good
    }
    free(texts);
    free(copy);
}

static void put_lower(struct pdp_question *question, const char *path, struct text text)
{
    char lower[SCHEME_MOST];
    if (text.at == NULL || text.len > sizeof lower) {
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        lower[i] = (char)tolower((unsigned char)text.at[i]);
    }
    put(question, path, (struct text){lower, text.len});
}

static void put_subject(struct pdp_question *question, const struct facts *facts)
{
    bool known = facts->subject_id.at != NULL;
    struct text type = facts->subject_type.at != NULL ? facts->subject_type : TEXT("user");
    put(question, "subject.type", known ? type : TEXT("anonymous"));
    put(question, "subject.id", known ? facts->subject_id : TEXT("anonymous"));
    put_list(question, "subject.properties.roles", facts->roles, known ? facts->role_count : 0);
}

static void put_session(struct pdp_question *question, const struct facts *facts)
{
    if (facts->session_id.at == NULL) {
        return;
    }
    put(question, "context.session.id", facts->session_id);
    put(question, "context.session.acr", facts->acr);
    put_list(question, "context.session.amr", facts->amr, facts->amr_count);
    if (facts->has_auth_time) {
        (void)pdp_question_set_int(question, "context.session.auth_time", facts->auth_time_s);
    }
}

enum pdp_err facts_ask(const struct facts *facts, struct pdp_question *question)
{
    put(question, "tenant", facts->tenant);
    put_subject(question, facts);
    put(question, "action.name", facts->method);
    put(question, "resource.type", TEXT("route"));
    put(question, "resource.id", facts->target);
    put(question, "resource.properties.host", facts->host);
    put_lower(question, "resource.properties.scheme", facts->scheme);
    put_session(question, facts);
    put(question, "context.device.fingerprint", facts->fingerprint);
    put(question, "context.device.user_agent", facts->user_agent);
    put(question, "context.device.components.ja4", facts->ja4);
    put(question, "context.network.ip", facts->address);
    put_list(question, "context.network.forwarded_for", facts->forwarded_for, facts->forwarded_count);
    return pdp_question_error(question);
}

size_t facts_forwarded(const struct text *lines, size_t count, struct text *out, size_t room)
{
    size_t entries = 0;
    for (size_t i = 0; i < count; i++) {
        struct text rest = lines[i], entry;
        while (text_cut(&rest, ',', &entry)) {
            if (entries == room && room > 0) {
                memmove(out, out + 1, (room - 1) * sizeof *out);
                entries--;
            }
            if (room > 0) {
                out[entries++] = text_trim(entry);
            }
        }
    }
    return entries;
}
