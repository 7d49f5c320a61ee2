// SPDX-License-Identifier: Apache-2.0
// libpdp: asks a decision point over NNG. No answer, a late one or one that cannot be read is a deny.
#ifndef PDP_CLIENT_H
#define PDP_CLIENT_H

#include <pdp/question.h>

#ifdef __cplusplus
extern "C" {
#endif

// One connection to a daemon, made again by itself when it breaks. All functions but pdp_close may be called
// from any thread at any time; questions of many threads share the connection.
struct pdp_client;

enum pdp_form {
    PDP_FORM_CBOR,
    PDP_FORM_JSON
};

// Zeroed fields mean the default. `size` is sizeof(struct pdp_options), so that older programs keep working.
struct pdp_options {
    size_t size;
    enum pdp_form form;        // of what is sent; the daemon answers in the same
    uint32_t in_flight_max;    // questions at once, 1..4096; default 256. One more is answered deny (BUSY)
    uint32_t answer_bytes_max; // of one answer or batch of answers; default 4 MiB. A longer one breaks the
                               // connection
    int32_t reconnect_ms;      // longest pause between two attempts to connect; default 1000
    // Of `tls+tcp://`; files in PEM, read by pdp_connect. TLS 1.2 or what libnng has above it.
    const char *ca_file;     // who may have signed the daemon's certificate; needed
    const char *cert_file;   // who we are, and
    const char *key_file;    // its key, without a pass phrase; both or none
    const char *server_name; // that the daemon's certificate must have; NULL: the host of the address, which
                             // libnng looks for among names only: an IP address needs this
    // Of pdpd's `--notices` and `--orders`, with TLS as above where they have it; NULL: none. With either, an
    // allow of a session that has ended while the question was under way becomes a deny; with orders, the
    // daemon knows by name who has carried one out.
    const char *notices_url, *orders_url;
    const char *name;       // of this gateway, at most 128 bytes; NULL: the host's name and the process id
    uint32_t cache_entries; // answers that are kept as long as they say (`valid`), at most 1048576; 0, the
                            // default: none. Takes notices_url
};

// url: `ipc:///run/pdp/decide.sock`, `tcp://host:port` or `tls+tcp://host:port`. options may be NULL. Returns
// at once: connecting goes on behind, and questions asked before it is done wait for it until their deadline.
// SYNTAX (no such address), UNSUPPORTED (no such transport), RANGE (an option), MISSING (a file that TLS
// needs is not named), IO (it cannot be read), MALFORMED (nor used), NOMEM leave *client NULL. Cost: one
// socket, and the threads of libnng once a process.
PDP_API enum pdp_err pdp_connect(const char *url, const struct pdp_options *options,
                                 struct pdp_client **client);
// Ends it: questions under way are answered deny (CLOSED), callbacks have all run and blocked callers have
// all left when it returns. Not to be called from a callback, nor by two threads. Leaves NULL behind.
PDP_API void pdp_close(struct pdp_client **client);
// Is a connection up right now? For messages to people; never a reason not to ask.
PDP_API bool pdp_connected(struct pdp_client *client);

struct pdp_cache_state {
    bool live;           // notices or heartbeats come, so that what is kept is used
    uint64_t kept, hits; // answers that are kept now, and that were given from what was kept
    uint64_t dropped;    // kept answers that a notice or an order made void
    uint64_t ended;      // sessions that are remembered to have ended
    uint64_t seq;        // of the last notice
};
// For messages to people and for tests; all zero without notices and orders.
PDP_API void pdp_cache_state(struct pdp_client *client, struct pdp_cache_state *out);

// Asks, and waits at most deadline_ms (1..3600000; outside: RANGE). *answer is to be freed with
// pdp_answer_free; it is never an allow unless OK is returned, and it is NULL, which reads as deny, only
// where memory is out. Returns OK where the daemon answered, whatever it said; TIMEOUT (the deadline passed,
// or nobody was there: code no-answer), BUSY, CLOSED, MALFORMED (the answer could not be read), the
// question's own error, LIMIT (64 KiB).
//
// With a cache, an answer to the very same question (all of it but an id) that still holds is given again
// without asking, ids and all; a question that brings its own `request_id`, or has a `purpose`, is always
// asked.
//
// A question without `request_id` gets a random one of 128 bits. If the connection breaks it is sent again
// with the same one until the deadline, so that the daemon sees a repeat, which moves nothing. Cost: one
// round trip, no system call of its own but those of libnng.
PDP_API enum pdp_err pdp_decide(struct pdp_client *client, const struct pdp_question *question,
                                int32_t deadline_ms, struct pdp_answer **answer);

// As pdp_decide without waiting. OK: `answered` will be called, maybe before this returns. Any other value:
// it never will, and the caller must deny by itself. The question is read before this returns. `answered`
// runs on a thread of the library: it must not block, and not call pdp_close or a blocking function of the
// same client; it may ask the next question.
PDP_API enum pdp_err pdp_decide_async(struct pdp_client *client, const struct pdp_question *question,
                                      int32_t deadline_ms, pdp_answered answered, void *user);

enum pdp_semantic {
    PDP_EXECUTE_ALL,
    PDP_DENY_ON_FIRST_DENY,
    PDP_PERMIT_ON_FIRST_PERMIT
};
// Up to 256 questions as one message and one sighting, 64 KiB in all. answers[i] belongs to questions[i] and
// is to be freed; it is NULL, which reads as deny, for what was not evaluated after the deciding item.
// Returns as pdp_decide; on an error every answer denies.
PDP_API enum pdp_err pdp_batch(struct pdp_client *client, const struct pdp_question *const *questions,
                               size_t count, enum pdp_semantic semantic, int32_t deadline_ms,
                               struct pdp_answer **answers);

// Tells of a login, step_up_passed, logout, signal …: `type`, `subject.…`, `context.…`, `properties.…`, and
// `tenant`. The answer says what the session is now. Returns as pdp_decide.
PDP_API enum pdp_err pdp_event(struct pdp_client *client, const struct pdp_question *event,
                               int32_t deadline_ms, struct pdp_answer **answer);

// Sends any message as it stands: a question, a batch, `{"event": …}` or `{"search": …}`, such as
// pdp_question_from_bytes makes it. As pdp_decide_async in all else; nothing is taken from the cache.
// `gateway` names the gateway for which this is asked; NULL: nobody but the client itself. The daemon takes
// that only from a peer with the grant `relay`. The answer to a batch or a search reads as a deny: look at
// pdp_answer_bytes, pdp_answer_json or pdp_answer_get_….
PDP_API enum pdp_err pdp_ask_async(struct pdp_client *client, const struct pdp_question *message,
                                   const char *gateway, int32_t deadline_ms, pdp_answered answered,
                                   void *user);

#ifdef __cplusplus
}
#endif
#endif
