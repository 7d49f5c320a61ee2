// SPDX-License-Identifier: Apache-2.0
#include "bench/shapes.h"

#include "bench/common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TEN(n)                                                                                               \
    "\"" n "0-#\", \"" n "1-#\", \"" n "2-#\", \"" n "3-#\", \"" n "4-#\", \"" n "5-#\", \"" n "6-#\", \"" n \
    "7-#\", \"" n "8-#\", \"" n "9-#\""
#define HUNDRED                                                                                           \
    "[\"k-#\", " TEN("a") ", " TEN("b") ", " TEN("c") ", " TEN("d") ", " TEN("e") ", " TEN("f") ", " TEN( \
        "g") ", " TEN("h") ", " TEN("i") ", " TEN("j") "]"

#define MANY 100000

const struct bench_shape SHAPES[] = {
    {"actions", "    actions: [act-#, see-#]\n", NULL, 1000, true, MANY},
    {"resources", "    resources: [\"/r-#/**\", \"/s-#/*\"]\n", NULL, 1000, true, MANY},
    {"==", "    when: resource.kind == \"k-#\" && subject.level > 1\n", NULL, 1000, true, MANY},
    {"startsWith", "    when: resource.name.startsWith(\"n-#/\")\n", NULL, 1000, true, MANY},
    {"endsWith", "    when: resource.name.endsWith(\"/o-#\")\n", NULL, 1000, true, MANY},
    {"in, 2 texts", "    when: resource.kind in [\"k-#\", \"l-#\"]\n", NULL, 1000, true, MANY},
    {"in, 101 texts", "    when: 'resource.kind in " HUNDRED "'\n", NULL, 1000, true, 10000},
    {"== || ==", "    when: resource.kind == \"k-#\" || resource.kind == \"l-#\"\n", NULL, 1000, true, MANY},
    {"any: of two &&",
     "    when: {any: ['resource.type == \"route\" && resource.kind == \"k-#\"', "
     "'resource.type == \"job\" && resource.kind == \"k-#\"']}\n",
     NULL, 1000, true, MANY},
    {"matches ^…", "    when: 'resource.name.matches(\"^n-#/[a-z]+/\")'\n", NULL, 1000, true, MANY},
    {"matches …", "    when: 'resource.name.matches(\"[a-z]+-#/.*o-#$\")'\n", NULL, 1000, true, MANY},
    {"first-match, ==", "    when: resource.kind == \"k-#\" && subject.level > 1\n", "combine: first-match\n",
     1000, true, MANY},
    {"policies with ==", "    when: subject.level > 1\n", "target: resource.kind == \"k-#\"\n", 1, true,
     MANY},
    {"number, not indexed", "    when: subject.level >= #\n", NULL, 1000, false, 10000},
    {"in a list of the question", "    when: '\"role-#\" in subject.roles && subject.level > 3'\n", NULL,
     1000, true, MANY},
};
const size_t SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES;

const char *const SHAPES_QUESTION = "{\"subject\": {\"type\": \"user\", \"id\": \"alice\", \"properties\": "
                                    "{\"level\": 5, \"roles\": [\"staff\", "
                                    "\"role-0\"]}}, \"action\": {\"name\": \"act-0\"}, \"resource\": "
                                    "{\"type\": \"route\", \"id\": \"/r-0/a/b\", "
                                    "\"properties\": {\"kind\": \"k-0\", \"name\": \"n-0/abc/o-0\"}}}";

// The template with each # as the number.
static void fill(FILE *out, const char *text, unsigned number)
{
    for (; *text != '\0'; text++) {
        if (*text == '#') {
            fprintf(out, "%u", number);
        } else {
            fputc(*text, out);
        }
    }
}

static FILE *next_file(const char *dir, unsigned number)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%u.yaml", dir, number);
    FILE *out = fopen(path, "wb");
    if (out == NULL) {
        bench_fail("cannot write", path);
    }
    return out;
}

size_t shapes_write(const char *dir, const struct bench_shape *shape, unsigned rules, unsigned mistakes)
{
    const long file_most = 3 << 20;
    size_t bytes = 0;
    unsigned files = 0, every = mistakes > 0 ? rules / mistakes : 0;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        bench_fail("cannot make", dir);
    }
    FILE *out = next_file(dir, files++);
    for (unsigned i = 0; i < rules; i++) {
        unsigned number = i < SHAPES_CORE ? 0 : i;
        if (i % shape->a_policy == 0) {
            if (ftell(out) > file_most) {
                bytes += (size_t)ftell(out);
                fclose(out);
                out = next_file(dir, files++);
            }
            fprintf(out, "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: p-%u}\n", i);
            fill(out, shape->policy != NULL ? shape->policy : "", number);
            fprintf(out, "rules:\n");
        }
        fprintf(out, "  - id: rule-%u\n    effect: %s\n", i, i % 2 == 0 ? "allow" : "deny");
        fill(out, every > 0 && i % every == 0 ? "    when: subject.level > session.levle\n" : shape->rule,
             number);
    }
    bytes += (size_t)ftell(out);
    if (fclose(out) != 0) {
        bench_fail("cannot write", dir);
    }
    return bytes;
}
