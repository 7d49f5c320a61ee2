# pdp/engine/decide.c
# What was forgotten begins again by an old authentication, once limits are longer.
s/session->auth_time_ms < session_forgotten_ms\(ask->table\)/session->auth_time_ms < 0/
