// SPDX-License-Identifier: Apache-2.0
#include "bench/common.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double bench_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

_Noreturn void bench_fail(const char *what, const char *which)
{
    fprintf(stderr, "bench: %s: %s\n", what, which);
    exit(1);
}

// ---- Figures -----------------------------------------------------------------------------------

void samples_add(struct samples *samples, double value)
{
    if (samples->count == samples->cap) {
        samples->cap = samples->cap > 0 ? 2 * samples->cap : 4096;
        samples->at = realloc(samples->at, samples->cap * sizeof *samples->at);
        if (samples->at == NULL) {
            bench_fail("memory is out", "samples");
        }
    }
    samples->at[samples->count++] = value;
}

void samples_clear(struct samples *samples)
{
    samples->count = 0;
}

void samples_free(struct samples *samples)
{
    free(samples->at);
    *samples = (struct samples){0};
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double samples_quantile(struct samples *samples, double q)
{
    if (samples->count == 0) {
        return 0;
    }
    qsort(samples->at, samples->count, sizeof *samples->at, by_size);
    size_t at = (size_t)(q * (double)samples->count);
    return samples->at[at < samples->count ? at : samples->count - 1];
}

void bench_row(enum bench_met met, const char *what, const char *budget, const char *format, ...)
{
    static const char *const WORDS[] = {"**no**", "yes", "–"};
    char measured[256];
    va_list args;
    va_start(args, format);
    vsnprintf(measured, sizeof measured, format, args);
    va_end(args);
    printf("ROW | %s | %s | %s | %s |\n", what, budget, measured, WORDS[met]);
    fflush(stdout);
}

// ---- The question ------------------------------------------------------------------------------

enum {
    REQUEST_DIGITS = 12,
    SESSION_DIGITS = 8,
    SUBJECT_DIGITS = 8
};

static const char QUESTION[] =
    "{\"tenant\":\"acme\",%s"
    "\"subject\":{\"type\":\"user\",\"id\":\"user-00000000\",\"properties\":{\"roles\":[\"staff\",\"hr\"]}},"
    "\"action\":{\"name\":\"GET\"},"
    "\"resource\":{\"type\":\"route\",\"id\":\"/payroll/42\",\"properties\":{\"sensitivity\":\"high\"}},"
    "\"context\":{\"session\":{\"id\":\"sess-00000000\",\"auth_time\":%lld,\"acr\":\"aal2\",\"amr\":[\"pwd\","
    "\"otp\"]},"
    "\"device\":{\"fingerprint\":\"f1d2d2f924e986ac\",\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64; "
    "rv:133.0) "
    "Gecko/20100101 Firefox/133.0\",\"managed\":true,\"components\":{\"os\":\"Linux\",\"browser\":\"Firefox "
    "133\",\"screen\":\"1920x1080\",\"ja4\":\"t13d1516h2_8daaf6152771_02713d6af862\"}},"
    "\"network\":{\"ip\":\"203.0.113.7\",\"forwarded_for\":[\"203.0.113.7\",\"10.0.0.2\"]},"
    "\"activity\":{\"requests_1m\":12,\"bytes_out\":48000}}}";

static size_t digits_after(const struct buf *bytes, const char *prefix)
{
    const unsigned char *at = memmem(bytes->at, bytes->len, prefix, strlen(prefix));
    return at != NULL ? (size_t)(at - bytes->at) + strlen(prefix) : 0;
}

void question_make(struct question *question, enum wire_form form, bool with_id, int64_t auth_time_s)
{
    char json[2048];
    int len = snprintf(json, sizeof json, QUESTION, with_id ? "\"request_id\":\"r-000000000000\"," : "",
                       (long long)auth_time_s);
    *question = (struct question){.form = form, .sessions = BENCH_SESSIONS};
    if (form == WIRE_JSON) {
        buf_str(&question->bytes, (struct str){json, (size_t)len});
    } else {
        struct arena arena;
        struct value root;
        struct emit emit;
        arena_init(&arena, 0, 0);
        if (wire_decode(WIRE_JSON, (struct str){json, (size_t)len}, &arena, &root, NULL) != PDP_ERR_OK) {
            bench_fail("the question is malformed", json);
        }
        emit_init(&emit, WIRE_CBOR, &question->bytes);
        emit_value(&emit, &root);
        arena_fini(&arena);
    }
    question->request_at = with_id ? digits_after(&question->bytes, "r-000") - 3 : 0;
    question->session_at = digits_after(&question->bytes, "sess-");
    question->subject_at = digits_after(&question->bytes, "user-");
}

void question_free(struct question *question)
{
    buf_fini(&question->bytes);
}

static void put_hex(unsigned char *at, uint64_t value, size_t digits)
{
    for (size_t i = digits; i-- > 0; value >>= 4) {
        at[i] = (unsigned char)"0123456789abcdef"[value & 15];
    }
}

void question_number(const struct question *question, unsigned char *at, uint64_t number)
{
    uint64_t session = number % question->sessions;
    put_hex(at + question->session_at, session, SESSION_DIGITS);
    put_hex(at + question->subject_at, session, SUBJECT_DIGITS);
    if (question->request_at != 0) {
        put_hex(at + question->request_at, number, REQUEST_DIGITS);
    }
}

// ---- Policy folders ------------------------------------------------------------------------------

static void copy_document(const char *dir, const char *name)
{
    char from[512], to[512], bytes[1 << 16];
    snprintf(from, sizeof from, "policies/baseline/%s", name);
    snprintf(to, sizeof to, "%s/%s", dir, name);
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    if (in == NULL || out == NULL) {
        bench_fail("cannot copy", from);
    }
    size_t len = fread(bytes, 1, sizeof bytes, in);
    fwrite(bytes, 1, len, out);
    fclose(in);
    fclose(out);
}

void bench_write_rules(const char *dir, unsigned rules)
{
    enum {
        CORE = 10,
        A_POLICY = 100
    };
    static const char *const NAMES[] = {"guards.yaml", "lists.yaml", "risk.yaml", "sessions.yaml",
                                        "strengths.yaml"};
    char path[512];
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        bench_fail("cannot make", dir);
    }
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        copy_document(dir, NAMES[i]);
    }
    snprintf(path, sizeof path, "%s/applications.yaml", dir);
    FILE *out = fopen(path, "wb");
    if (out == NULL) {
        bench_fail("cannot write", path);
    }
    fprintf(out, "apiVersion: pdp/v1\nkind: Policy\nmetadata: {name: staff}\nrules:\n"
                 "  - {id: read, effect: allow, actions: [GET], when: '\"staff\" in subject.roles'}\n");
    for (unsigned i = CORE; i < rules; i++) {
        if ((i - CORE) % A_POLICY == 0) {
            fprintf(out,
                    "---\napiVersion: pdp/v1\nkind: Policy\nmetadata: {name: applications-%u}\n"
                    "target: resource.type == \"route\"\nrules:\n",
                    (i - CORE) / A_POLICY);
        }
        fprintf(out,
                "  - id: application-%u\n    effect: deny\n    resources: [\"/applications/%u/**\"]\n"
                "    when: '!(\"team-%u\" in subject.roles) && risk.level >= level(\"medium\")'\n"
                "    reason: this application is for its team while the risk is raised\n",
                i, i, i);
    }
    if (fclose(out) != 0) {
        bench_fail("cannot write", path);
    }
}

// ---- Children ------------------------------------------------------------------------------------

const char *bench_dir(void)
{
    const char *dir = getenv("PDP_BENCH_DIR");
    if (dir == NULL) {
        bench_fail("PDP_BENCH_DIR is not set", "run `sh tests/bench/run.sh`");
    }
    return dir;
}

const char *bench_path(const char *format, ...)
{
    char name[200];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    static char texts[16][256];
    static unsigned next;
    char *out = texts[next++ % 16];
    snprintf(out, sizeof texts[0], "%.50s/%s", bench_dir(), name);
    return out;
}

const char *bench_bin(const char *program)
{
    static char texts[4][256];
    static unsigned next;
    const char *bin = getenv("PDP_BIN");
    char *out = texts[next++ % 4];
    snprintf(out, sizeof texts[0], "%s/%s", bin != NULL ? bin : "build/release/bin", program);
    return out;
}

static bool said_ready(struct child *child)
{
    char text[8192];
    FILE *log = fopen(child->log, "rb");
    size_t len = log != NULL ? fread(text, 1, sizeof text - 1, log) : 0;
    if (log != NULL) {
        fclose(log);
    }
    text[len] = '\0';
    const char *ready = strstr(text, "event=ready");
    if (ready == NULL || strchr(ready, '\n') == NULL) {
        return false;
    }
    const char *port = strstr(ready, "tcp://127.0.0.1:");
    child->port = port != NULL ? (unsigned)strtoul(port + strlen("tcp://127.0.0.1:"), NULL, 10) : 0;
    return true;
}

void child_start(struct child *child, const char *name, const char *const *argv)
{
    snprintf(child->log, sizeof child->log, "%s", bench_path("%s.log", name));
    unlink(child->log); // an earlier one's would say ready
    fflush(stdout);
    child->pid = fork();
    if (child->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); // a bench that fails leaves nobody behind
        int log = open(child->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(log, STDERR_FILENO);
        dup2(log, STDOUT_FILENO);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    double until = bench_now_ns() + 60e9;
    while (!said_ready(child)) {
        if (waitpid(child->pid, NULL, WNOHANG) != 0 || bench_now_ns() > until) {
            bench_fail("did not start; see its log", child->log);
        }
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

void child_stop(struct child *child)
{
    if (child->pid > 0) {
        kill(child->pid, SIGTERM);
        waitpid(child->pid, NULL, 0);
        child->pid = 0;
    }
}

// ---- A plain client ------------------------------------------------------------------------------

static int connect_ipc(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? fd : -1;
}

static int connect_tcp(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void read_all(int fd, unsigned char *at, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = recv(fd, at + got, len - got, 0);
        if (n <= 0) {
            bench_fail("the server hung up", n < 0 ? strerror(errno) : "end");
        }
        got += (size_t)n;
    }
}

void link_open(struct link_to *link, enum sp_transport transport, const char *path, unsigned port)
{
    unsigned char hello[SP_HANDSHAKE_BYTES];
    link->transport = transport;
    link->fd = transport == SP_IPC ? connect_ipc(path) : connect_tcp(port);
    if (link->fd < 0) {
        bench_fail("cannot connect", strerror(errno));
    }
    sp_handshake_write(SP_REQ0, hello);
    if (send(link->fd, hello, sizeof hello, MSG_NOSIGNAL) != (ssize_t)sizeof hello) {
        bench_fail("cannot send", strerror(errno));
    }
    read_all(link->fd, hello, sizeof hello);
    if (sp_handshake_read((struct str){(char *)hello, sizeof hello}, SP_REP0) != SP_WHOLE) {
        bench_fail("no SP handshake", "from the server");
    }
}

void link_close(struct link_to *link)
{
    close(link->fd);
    link->fd = -1;
}

enum {
    READ_BYTES = 1 << 18,
    MESSAGE_MAX = 1 << 20,
    DEPTH_MAX = 1024
};

struct flight {
    struct link_to *link;
    struct load *load;
    struct buf out; // not sent yet: from `sent` on
    size_t sent;
    unsigned char *in;
    size_t in_len;
    uint32_t free[DEPTH_MAX];
    unsigned free_count;
    double began[DEPTH_MAX];
    bool stop;
};

static void put_frame(struct buf *out, enum sp_transport transport, uint32_t id, struct str message)
{
    unsigned char head[SP_HEADER_MAX];
    size_t len = sp_frame_write(transport, message.len + 4, head);
    const unsigned char word[4] = {(unsigned char)(0x80 | id >> 24), (unsigned char)(id >> 16),
                                   (unsigned char)(id >> 8), (unsigned char)id};
    buf_str(out, (struct str){(char *)head, len});
    buf_str(out, (struct str){(const char *)word, sizeof word});
    buf_str(out, message);
}

static void fill(struct flight *flight, double now)
{
    const struct question *question = flight->load->question;
    while (flight->free_count > 0 && !flight->stop) {
        uint32_t id = flight->free[--flight->free_count];
        put_frame(&flight->out, flight->link->transport, id, buf_view(&question->bytes));
        question_number(question, flight->out.at + flight->out.len - question->bytes.len,
                        flight->load->number++);
        flight->began[id] = now;
    }
}

static void send_some(struct flight *flight)
{
    while (flight->sent < flight->out.len) {
        ssize_t len = send(flight->link->fd, flight->out.at + flight->sent, flight->out.len - flight->sent,
                           MSG_NOSIGNAL | MSG_DONTWAIT);
        if (len < 0 && errno == EAGAIN) {
            return;
        }
        if (len < 0) {
            bench_fail("cannot send", strerror(errno));
        }
        flight->sent += (size_t)len;
    }
    buf_clear(&flight->out);
    flight->sent = 0;
}

static void take_answers(struct flight *flight, double now)
{
    struct load *load = flight->load;
    struct str bytes = {(char *)flight->in, flight->in_len};
    struct sp_frame frame;
    while (sp_frame_read(flight->link->transport, bytes, MESSAGE_MAX, &frame) == SP_WHOLE) {
        const unsigned char *word = (const unsigned char *)frame.body.at;
        uint32_t id = (uint32_t)word[1] << 16 | (uint32_t)word[2] << 8 | word[3];
        if (frame.body.len < 5 || id >= load->depth) {
            bench_fail("an answer to nothing", "");
        }
        flight->free[flight->free_count++] = id;
        load->answers++;
        load->bytes += frame.body.len - 4;
        if (load->latency != NULL) {
            samples_add(load->latency, now - flight->began[id]);
        }
        bytes = str_sub(bytes, frame.used, bytes.len);
    }
    memmove(flight->in, bytes.at, bytes.len);
    flight->in_len = bytes.len;
}

void link_load(struct link_to *link, struct load *load)
{
    struct flight *flight = calloc(1, sizeof *flight);
    flight->in = malloc(READ_BYTES);
    flight->link = link;
    flight->load = load;
    for (unsigned i = 0; i < load->depth; i++) {
        flight->free[flight->free_count++] = i;
    }
    load->answers = load->bytes = 0;
    double began = bench_now_ns(), now = began, until = began + load->seconds * 1e9;
    for (;;) {
        fill(flight, now);
        send_some(flight);
        // What is left to send waits until something was answered: the server takes no more before that.
        ssize_t len = recv(link->fd, flight->in + flight->in_len, READ_BYTES - flight->in_len, 0);
        if (len <= 0) {
            bench_fail("the server hung up", len < 0 ? strerror(errno) : "end");
        }
        flight->in_len += (size_t)len;
        now = bench_now_ns();
        take_answers(flight, now);
        flight->stop = flight->stop || (load->go_on != NULL ? !load->go_on(load->user) : now >= until);
        if (flight->stop && flight->free_count == load->depth) {
            break;
        }
    }
    load->took_ns = now - began;
    buf_fini(&flight->out);
    free(flight->in);
    free(flight);
}

void link_ask(struct link_to *link, struct str message, struct buf *answer)
{
    struct buf out = {0};
    unsigned char head[SP_HEADER_MAX] = {0};
    put_frame(&out, link->transport, 1, message);
    if (send(link->fd, out.at, out.len, MSG_NOSIGNAL) != (ssize_t)out.len) {
        bench_fail("cannot send", strerror(errno));
    }
    buf_fini(&out);
    size_t header = sp_header_bytes(link->transport);
    read_all(link->fd, head, header);
    uint64_t len = 0;
    for (size_t i = header - 8; i < header; i++) {
        len = len << 8 | head[i];
    }
    buf_clear(answer);
    if (len < 4 || len > MESSAGE_MAX || !buf_room(answer, len)) {
        bench_fail("an answer too long", "");
    }
    read_all(link->fd, answer->at, len);
    answer->len = len;
    memmove(answer->at, answer->at + 4, len - 4);
    answer->len -= 4;
}
