# pdp/node/group.c
# A round of what is noted that failed is taken for done.
s/^        group->round = false;\n    \}$//
/^        note_again\(group\);/d
