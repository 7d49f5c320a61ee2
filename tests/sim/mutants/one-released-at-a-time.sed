# pdp/node/gate.c
# Of all answers that may go one goes; nobody comes for the others.
s/^    while (\(gate->first != NULL && \(gate->first->seq <= durable)/    if \1/
