// SPDX-License-Identifier: Apache-2.0
#include "cli/local.h"
#include "cli/test/loaded.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static void put_count(struct buf *out, const char *before, uint32_t count, const char *one, const char *many)
{
    buf_printf(out, "%s%u %s", before, count, count == 1 ? one : many);
}

static void put_bundle(struct buf *out, const struct local *local)
{
    if (local->packed) {
        buf_printf(out, "bundle %s, version %" PRId64 ", expires ", local->bundle, local->version);
        time_print(out, local->expires_s, 0);
        buf_str(out, STR("; its signatures were not looked at\n"));
    }
}

static void emit_bundle(struct emit *emit, const struct local *local)
{
    if (!local->packed) {
        return;
    }
    struct buf expires = {0};
    time_print(&expires, local->expires_s, 0);
    emit_key(emit, STR("bundle"));
    emit_map(emit, SIZE_MAX);
    emit_key_str(emit, "name", str_of(local->bundle));
    emit_key_int(emit, "version", local->version);
    emit_key_str(emit, "expires", buf_view(&expires));
    emit_end(emit);
    buf_fini(&expires);
}

int cmd_check(const struct cli_args *args)
{
    struct local local;
    struct loaded loaded;
    int code = loaded_read(args, args->positional[0], NULL, false, &loaded);
    size_t tests = loaded.suite != NULL ? suite_count(loaded.suite) : 0;
    code = code == CLI_DONE ? local_serve(loaded.folder, &loaded.snapshot, &local) : code;
    loaded_fini(&loaded);
    if (code != CLI_DONE) {
        return code;
    }
    char digest[80];
    struct snapshot_facts facts;
    struct buf out = {0};
    (void)engine_serving(local.engine, local.worker, digest, &facts);
    if (args->json) {
        struct emit emit;
        emit_init(&emit, WIRE_JSON, &out);
        emit_map(&emit, SIZE_MAX);
        emit_key_bool(&emit, "ok", true);
        emit_key_str(&emit, "snapshot", str_of(digest));
        emit_key_int(&emit, "policies", facts.policies);
        emit_key_int(&emit, "rules", facts.rules);
        emit_key_int(&emit, "lists", facts.lists);
        emit_key_int(&emit, "strengths", facts.strengths);
        emit_key_int(&emit, "counters", facts.counters);
        if (tests > 0) {
            emit_key_int(&emit, "tests", (int64_t)tests);
        }
        emit_bundle(&emit, &local);
        emit_end(&emit);
        buf_byte(&out, '\n');
    } else {
        put_count(&out, "good: ", facts.policies, "policy", "policies");
        put_count(&out, ", ", facts.rules, "rule", "rules");
        put_count(&out, ", ", facts.lists, "list", "lists");
        put_count(&out, ", ", facts.strengths, "strength", "strengths");
        if (facts.counters > 0) {
            put_count(&out, ", ", facts.counters, "counter", "counters");
        }
        if (tests > 0) {
            put_count(&out, ", ", (uint32_t)tests, "document of tests", "documents of tests");
        }
        buf_printf(&out, "\n%s\n", digest);
        put_bundle(&out, &local);
    }
    code = cli_write(&out, CLI_DONE);
    buf_fini(&out);
    local_close(&local);
    return code;
}

int cmd_compile(const struct cli_args *args)
{
    struct local local;
    if (!args->print) {
        return cmd_check(args);
    }
    int code = local_open(args, &local);
    if (code != CLI_DONE) {
        return code;
    }
    struct buf out = {0};
    code = engine_print(local.engine, local.worker, &out) && !out.failed ? cli_write(&out, CLI_DONE)
                                                                         : cli_bad(NULL, "out of memory");
    buf_fini(&out);
    local_close(&local);
    return code;
}

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int cmd_eval(const struct cli_args *args)
{
    int64_t now_ms = clock_ms();
    if (!local_now(args, &now_ms)) {
        return CLI_BAD;
    }
    struct local local;
    int code = local_open(args, &local);
    if (code != CLI_DONE) {
        return code;
    }
    struct buf question = {0}, asked = {0}, answer = {0}, out = {0};
    struct arena arena;
    struct value root = {0};
    struct fault why;
    arena_init(&arena, 0, 0);
    code = CLI_BAD;
    if (cli_read(args->request != NULL ? args->request : "-", &question) &&
        cli_is_question(args, &question)) {
        (void)(args->full || !args->json ? local_explain(&question, &asked)
                                         : (buf_put(&asked, question.at, question.len), true));
        engine_answer(local.worker, &local.peer, buf_view(&asked), now_ms, &answer);
        if (wire_decode_most(wire_form_of(buf_view(&answer)), buf_view(&answer), 1 << 24, &arena, &root,
                             &why) != PDP_ERR_OK) {
            root = (struct value){0}; // reads as deny
        }
        if (args->json) {
            buf_put(&out, answer.at, answer.len);
            buf_byte(&out, '\n');
        } else {
            show_block(&root, &out);
        }
        bool malformed = value_path(&root, STR("context.error")) != NULL;
        code = cli_write(&out, malformed ? CLI_BAD : show_code(&root));
    }
    arena_fini(&arena);
    buf_fini(&question);
    buf_fini(&asked);
    buf_fini(&answer);
    buf_fini(&out);
    local_close(&local);
    return code;
}
