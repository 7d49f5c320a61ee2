# pdp/engine/control.c
# Cut-offs that an analyst ordered are read by no decision.
s/^    if \(ask->controls == NULL \|\| !ask->has_session /    if (ask->now_ms != 0 || ask->controls == NULL || !ask->has_session /
