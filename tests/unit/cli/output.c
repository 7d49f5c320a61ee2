// SPDX-License-Identifier: Apache-2.0
// What somebody else does to a file while it is replaced.
#include "cli/output.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static char path[64];
static bool another_writes;

// In the place of libc's: the new file is whole now, and has not taken the name.
int fsync(int fd)
{
    if (another_writes) {
        another_writes = false;
        int other = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        cr_assert_eq(write(other, "theirs\n", 7), 7);
        close(other);
    }
    return (int)syscall(SYS_fsync, fd);
}

static void holds(const char *text)
{
    char got[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && read(fd, got, sizeof got - 1) >= 0);
    close(fd);
    cr_expect_str_eq(got, text);
}

Test(cli_output, takes_no_file_in_which_another_wrote_meanwhile)
{
    char dir[] = "/tmp/pdp-output-XXXXXX";
    const char *why = "";
    cr_assert_not_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/a.yaml", dir);
    cr_expect_eq(output_put(path, STR("ours\n"), 0600, &why), PDP_ERR_OK);
    holds("ours\n");
    another_writes = true;
    cr_expect_eq(output_put(path, STR("ours again\n"), 0600, &why), PDP_ERR_IO);
    cr_expect_str_eq(why, "it changed meanwhile");
    holds("ours\ntheirs\n");
    cr_expect_eq(output_put(path, STR("ours again\n"), 0600, &why), PDP_ERR_OK);
    holds("ours again\n");
    cr_expect_eq(unlink(path), 0);
    cr_expect_eq(rmdir(dir), 0, "nothing stays beside it");
}
