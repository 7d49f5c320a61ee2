# pdp/session/journal.c
# A group that failed counts as written.
s/^    if \(failed\) \{/    if (failed \&\& seq == 0) {/
