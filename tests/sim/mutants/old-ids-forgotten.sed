# pdp/session/sweep.c
# An id that was replaced is forgotten while its session lives on under longer limits.
s/if \(past && .*/if (past) {/
