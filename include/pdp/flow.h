// SPDX-License-Identifier: Apache-2.0
// libpdp for a host with an event loop of its own: one connection to a daemon as a descriptor, a deadline and
// a step. No thread, no lock, no call that waits, and nothing of libnng.
#ifndef PDP_FLOW_H
#define PDP_FLOW_H

#include <pdp/client.h>

#ifdef __cplusplus
extern "C" {
#endif

// Belongs to one thread of one process. All of its times are the host's: milliseconds of a clock that never
// goes back, 0 or more.
//
//   for (;;) {
//       poll(pdp_flow_fd and the host's own, pdp_flow_wants, until pdp_flow_due_ms);
//       pdp_flow_step(flow, what is ready, now);
//   }
struct pdp_flow;

enum {
    PDP_FLOW_READ = 1,
    PDP_FLOW_WRITE = 2
};

// Addresses, options and errors are those of pdp_connect, without notices, orders and the cache
// (UNSUPPORTED). The files of TLS are read and the host's name is looked up (UNKNOWN where it has no address)
// here and never again; that alone may wait. No socket is made: the first step makes it, so a flow that was
// never stepped may be left to a child process.
PDP_API enum pdp_err pdp_flow_open(const char *url, const struct pdp_options *options,
                                   struct pdp_flow **flow);
// Questions under way are answered deny (CLOSED) before it returns. Not to be called from a callback. Leaves
// NULL behind.
PDP_API void pdp_flow_close(struct pdp_flow **flow);

// What to poll, level-triggered; all three may change with every step, ask and cancel. -1: there is no
// descriptor now. One that was closed is gone before the step in which that happened returns, and another,
// which may have the same number, comes in a later step: a host that keeps a registration drops it when it
// sees -1.
PDP_API int pdp_flow_fd(const struct pdp_flow *flow);
PDP_API unsigned pdp_flow_wants(const struct pdp_flow *flow);
// When pdp_flow_step is to be called at the latest; INT64_MAX: only when the descriptor is ready. In the past
// where there is something to do right now, such as a question that is not written yet.
PDP_API int64_t pdp_flow_due_ms(const struct pdp_flow *flow);
// Does all that is to be done: connects, reads, calls back, ends questions whose deadline has passed, writes.
// `ready` is PDP_FLOW_READ and PDP_FLOW_WRITE as far as the descriptor is (an error or the end is both). All
// that was asked since the last step goes out in one write.
PDP_API void pdp_flow_step(struct pdp_flow *flow, unsigned ready, int64_t now_ms);
// Is a connection up right now? For messages to people; never a reason not to ask.
PDP_API bool pdp_flow_connected(const struct pdp_flow *flow);

// Asks with any message as it stands, as pdp_ask_async; `gateway` may be NULL. OK: `answered` will be called,
// once, in a later step or in pdp_flow_close, and *ticket (never 0) is what cancels it. Any other value: it
// never will, *ticket is 0, and the caller must deny by itself. BUSY: in_flight_max questions wait for an
// answer, or their bytes are more than 16 MiB; one that was cancelled or is late counts until the daemon has
// answered it or the connection has broken. Nothing is written here: step afterwards, once for all that
// the host asks in one turn of its loop.
//
// A question that waits for a connection, or under which one breaks, is sent again with the same
// `request_id` until its deadline. `answered` may ask, cancel and look, but not step nor close. It may run
// late, but never with an allow after the deadline. Cost: no allocation but those of the question's first
// bytes and of the answer.
PDP_API enum pdp_err pdp_flow_ask(struct pdp_flow *flow, const struct pdp_question *message,
                                  const char *gateway, int32_t deadline_ms, int64_t now_ms,
                                  pdp_answered answered, void *user, uint64_t *ticket);
// As pdp_flow_ask, for a host that writes its questions by itself and asks very often: `entries` are the
// `count` entries of a CBOR map (RFC 8949; at most 65536) without its head, none of them `request_id`,
// `deadline_ms` or `gateway`, which are written in front of them. They are not looked at: what is no question
// is answered by the daemon as malformed, a deny. UNSUPPORTED where the form is JSON; LIMIT above 64 KiB.
PDP_API enum pdp_err pdp_flow_ask_entries(struct pdp_flow *flow, const void *entries, size_t len,
                                          size_t count, const char *gateway, int32_t deadline_ms,
                                          int64_t now_ms, pdp_answered answered, void *user,
                                          uint64_t *ticket);
// `answered` of this ticket never comes. False where it has come already. A ticket of 0 is no ticket.
PDP_API bool pdp_flow_cancel(struct pdp_flow *flow, uint64_t ticket);

#ifdef __cplusplus
}
#endif
#endif
