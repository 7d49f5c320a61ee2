# pdp/session/journal.c
# What found no room in the journal is taken for durable as soon as the journal is.
s/return journal_missed\(journal\) != 0 \? UINT64_MAX : journal_head\(journal\);/return journal_head(journal);/
