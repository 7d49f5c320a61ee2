# pdp/node/gate.c
# Answers go out before the store has what they tell.
s/^    return gate->journal != NULL && seq != 0 && .*/    (void)seq; return gate == NULL;/
