# pdp/session/commit.c
# A rotation is written at leisure.
s/^    if \(!ends && !delta->lasting && delta->rotate == NULL\) \{/    if (!ends \&\& (!delta->lasting || delta->rotate != NULL)) {\n        if (held->old_slot != 0) { lasting_note(table, held->shard, held->old_slot); }/
