# pdp/engine/decide.c
# An id that another one replaced is taken for ever.
s/^    if \(ask_is_late\(ask\)\) \{/    if (ask_is_late(ask) \&\& ask->peer == NULL) {/
