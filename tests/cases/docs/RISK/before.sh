# SPDX-License-Identifier: Apache-2.0
# A day of a shop, and what its fraud desk found: 4,000 sessions of 900 users, of which few are odd and fewer stolen.
[ -e day.jsonl ] || awk '
function draw() { seed = (seed * 16807) % 2147483647; return seed / 2147483647 }
function ask(at, session, user, print_, address, agent) {
    printf "{\"at\":%.0f,\"request\":{\"request_id\":\"r%d\",\"subject\":{\"type\":\"user\",\"id\":\"u%d\"}," \
        "\"action\":{\"name\":\"GET\"},\"resource\":{\"type\":\"route\",\"id\":\"/\"},\"context\":{\"session\":{\"id\":\"s%d\"}," \
        "\"network\":{\"ip\":\"%s\"},\"device\":{\"fingerprint\":\"%s\",\"user_agent\":\"%s\"}}}}\n",
        at, ++asked, user, session, address, print_, agent >"day.jsonl"
}
BEGIN {
    seed = 5; firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
    split("0.88 0.94 0.97 0.99 1", to, " "); split("0.002 0.01 0.06 0.4 0.75", stolen, " ")
    print "request_id,label" >"labels.csv"
    for (n = 1; n <= 4000; n++) {
        at = 1795370000000 + n * 20000; user = int(draw() * 900); kind = 1; odd = draw(); address = "192.0.2." n % 200
        while (odd > to[kind] + 0) kind++
        ask(at, n, user, "d" user, address, firefox)
        ask(at + 9000, n, user, kind == 2 || kind == 4 ? "new" : "d" user, kind == 4 ? "198.51.100.9" : address,
            kind == 3 ? chrome : kind == 5 ? "curl/8.5.0" : firefox)
        print "r" asked "," (draw() < stolen[kind] + 0) >"labels.csv"
    }
}'
