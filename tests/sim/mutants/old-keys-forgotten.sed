# pdp/session/key.c
# After a new key ids are looked for under that one alone.
s/others = ring & UINT16_MAX & ~\(UINT32_C\(1\) << now\);/others = 0;/
