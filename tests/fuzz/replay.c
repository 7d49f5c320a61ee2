// SPDX-License-Identifier: Apache-2.0
// Replays a corpus through a fuzz target without libFuzzer: every file of the folders given. None may take
// more than a second of the processor's time or 64 MiB (sanitizers, which take many times more of both, are
// not held to that).
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define MOST_MS 1000.0
#define MOST_KIB (64 * 1024L)

static struct {
    unsigned count;
    int failed;
    double slowest_ms;
    char slowest[256];
    long grown_kib; // by the input that took most
    char greatest[256];
} total;

static bool measured(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#elif defined(__has_feature)
    return !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
    return true;
#endif
}

static double used_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

// The greatest so far: what an input adds to it is what it took beyond all before.
static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void judge(const char *name, double ms, long grown_kib)
{
    if (ms > total.slowest_ms) {
        total.slowest_ms = ms;
        snprintf(total.slowest, sizeof total.slowest, "%s", name);
    }
    if (grown_kib > total.grown_kib) {
        total.grown_kib = grown_kib;
        snprintf(total.greatest, sizeof total.greatest, "%s", name);
    }
    if (measured() && (ms > MOST_MS || grown_kib > MOST_KIB)) {
        printf("FAILED %s: %.0f ms, %ld KiB\n", name, ms, grown_kib);
        total.failed++;
    }
}

static int replay_file(const char *path, const char *name)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    static uint8_t bytes[1 << 20];
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    uint8_t *exact = malloc(len + (len == 0)); // so that ASan sees a read past the end
    if (exact == NULL) {
        return 1;
    }
    for (size_t i = 0; i < len; i++) {
        exact[i] = bytes[i];
    }
    double from_ms = used_ms();
    long from_kib = peak_kib();
    LLVMFuzzerTestOneInput(exact, len);
    judge(name, used_ms() - from_ms, peak_kib() - from_kib);
    free(exact);
    total.count++;
    return 0;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        perror(folder);
        return 1;
    }
    int failed = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[4096];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
            failed += replay_file(path, entry->d_name);
        }
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        total.failed += replay_folder(argv[i]);
    }
    printf("%u inputs replayed; slowest %.1f ms (%s), most memory %ld KiB (%s), peak %ld KiB\n", total.count,
           total.slowest_ms, total.slowest, total.grown_kib, total.greatest, peak_kib());
    return total.failed != 0 || total.count == 0;
}
