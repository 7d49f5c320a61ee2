// SPDX-License-Identifier: Apache-2.0
#include "cli/test/watching.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char DIR_[] = "/tmp/pdp-watching-XXXXXX";

static const char *at(const char *name)
{
    static char paths[2][256];
    static int turn;
    turn = !turn;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", DIR_, name);
    return paths[turn];
}

static void write_file(const char *name)
{
    FILE *file = fopen(at(name), "w");
    cr_assert_not_null(file);
    cr_assert(fputs("a: b\n", file) >= 0 && fclose(file) == 0);
}

// What is in the queue when the wait begins is one burst.
static void expect_named(int fd, const char *expected)
{
    AUTO(buf_fini) struct buf names = {0};
    cr_assert_eq(watching_wait(fd, &names), PDP_ERR_OK);
    cr_expect(str_eq(buf_view(&names), str_of(expected)), "`" STR_FMT "` instead of `%s`",
              STR_ARG(buf_view(&names)), expected);
}

Test(cli_watching, names_what_changed_and_not_the_steps_to_it)
{
    int fd = -1;
    cr_assert_not_null(mkdtemp(DIR_));
    write_file("web.yaml");
    write_file("old.yaml");
    cr_assert_eq(watching_begin(DIR_, &fd), PDP_ERR_OK);

    write_file("sedA1b2C3"); // as `sed -i` does
    cr_assert_eq(rename(at("sedA1b2C3"), at("web.yaml")), 0);
    expect_named(fd, "web.yaml");

    write_file("4913"); // as vim does, to see whether it may write
    cr_assert_eq(unlink(at("4913")), 0);
    write_file(".hidden");
    cr_assert_eq(unlink(at("old.yaml")), 0);
    write_file("new.yaml");
    write_file("web.yaml");
    expect_named(fd, "old.yaml, new.yaml, web.yaml");

    cr_assert_eq(rename(at("new.yaml"), at("newer.yaml")), 0);
    expect_named(fd, "new.yaml, newer.yaml");

    close(fd);
    cr_expect(unlink(at("web.yaml")) == 0 && unlink(at("newer.yaml")) == 0 && unlink(at(".hidden")) == 0 &&
              rmdir(DIR_) == 0);
}
