# pdp/session/lasting.c
# Cut-offs, which stand with the user, are not written with the session.
s/^    and_user = and_user && last->user != 0;.*/    and_user = false;/
