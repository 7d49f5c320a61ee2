# pdp/engine/ask.c
# A passed step-up is written at leisure.
s/event != EVENT_SIGNAL && event != EVENT_STEP_UP_FAILED/event != EVENT_SIGNAL \&\& event != EVENT_STEP_UP_PASSED/
