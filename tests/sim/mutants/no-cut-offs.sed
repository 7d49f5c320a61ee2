# pdp/engine/control.c
# Cut-offs are read by no decision.
s/^    return auth_ms < ask->cut.before_ms \?.*/    (void)auth_ms; return ask->cut.maybe_ms < 0 ? TRUTH_YES : TRUTH_NO;/
