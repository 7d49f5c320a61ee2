# pdp/session/lasting.c
# A row is erased, and what guards its return is not written with it.
s/journal_add\(table->config.journal, rows, COUNT_OF\(rows\), false, &seq\) == PDP_ERR_OK/journal_add(table->config.journal, rows + 1, 1, false, \&seq) == PDP_ERR_OK/
