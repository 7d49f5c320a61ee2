# pdp/session/commit.c
# An end is written at leisure, like what was only seen.
s/^    bool ends = !was_over && .*/    bool ends = was_over \&\& held->slot == 0;/
