// SPDX-License-Identifier: Apache-2.0
// Templates by type: letters stand for parts of a type, `#` for a variable of the macro that holds it.
#include "diff/gen.h"

#include <ctype.h>

// Letters of parts, in the order of enum gen_type.
static const char LETTERS[] = "BIUDSYTPNCEGLJKM*";

// Alternatives are separated by a line feed; those of LEAVES end a branch.
static const char *const LEAVES[GEN_COUNT] = {
    [GEN_BOOL] =
        "true\nfalse\ndevice.managed\nsession.known\ngeo.tor\nsubject.a\ncontext.b\nhas(subject.a)\n"
        "has(context.client.a)\nhas(geo.country)\nhas(session.amr)\nhas(subject.properties.a)\nresource."
        "client.d\n"
        "has(subject.client.map.a)\ngeo.country == \"DE\"\nsubject.a == \"x\"\naction.name == \"GET\"\n"
        "\"hr\" in subject.roles\nsubject.a in [\"x\", \"y\", \"hr\"]\nsubject.n in [1, 2, 3]\n"
        "subject.b in lists.leavers\ngeo.country in lists.sanctioned\nnetwork.ip in lists.offices\n"
        "geo.asn in lists.asns\nsubject.id in lists.stale\nsubject.b in lists.offices\nsubject.n in "
        "lists.asns\n"
        "within(now, \"Mon-Fri 07:00-19:00\")\nwithin(now, \"Sat,Sun 22:00-02:00, Mon 08:00-09:30\", "
        "\"+01:00\")\n"
        "within(session.started, \"daily 23:00-05:00\", \"-05:00\")\n"
        "subject.a.matches(\"^[a-z]+$\")\nresource.id.matches(\"a.*b?\")\nsubject.b.matches(\"\\\\d\")\n"
        "context.a.matches(\"^.?$\")\nsubject.when == now\nnow != resource.when\nsubject.a == null\n"
        "has(subject.level)\nhas(subject.texts)\n!has(resource.until)\nsubject.level in [\"x\", \"y\"]\n"
        "resource.until > now\nnow - resource.until < resource.span\nsubject.level == \"hr\"\n",
    [GEN_INT] =
        "0\n1\n2\n-1\n7\n60\n0x1F\n9223372036854775807\n-9223372036854775808\nsession.requests\ngeo.asn\n"
        "subject.n\nresource.n\ncontext.client.n\nsubject.number\n"
        "3\n"
        "64\n"
        "63\n",
    [GEN_UINT] = "0u\n1u\n2u\n60u\n18446744073709551615u\n",
    [GEN_DOUBLE] = "0.0\n1.0\n1.5\n-2.0\n60.0\n1e3\n9223372036854775807.0\n1e300\nrisk.score\nrisk.hard\n"
                   "geo.latitude\ntravel.kmh\nsubject.d\nsubject.double\n"
                   "-1.5\n"
                   "0.5\n"
                   "-0.4\n"
                   "2.5\n",
    [GEN_STRING] = "\"x\"\n\"y\"\n\"\"\n\"hr\"\n\"DE\"\n\"\\u00e4\\n\"\n\"10.1.2."
                   "3\"\n\"10\"\nr\"a\\d\"\nsubject.id\nsubject.type\n"
                   "geo.city\nresource.id\nresource.type\naction.name\nsession.acr\ntenant\nsubject."
                   "a\ncontext.client.a\n"
                   "subject.level\nsubject.properties.level\ncontext.client.kind\nsubject.properties."
                   "b\nresource.b\n\"2025-11-22T08:00:00Z\"\n\"1h\"\n"
                   "\"ta\\u00a9o\\u00a9\\u03b1T\"\n"
                   "\" \\t\\u3000x\\u00a0\"\n"
                   "\"aGVsbG8=\"\n"
                   "\"aa,bb,,aa\"\n",
    [GEN_BYTES] = "b\"x\"\nb\"\"\nb\"\\x00\\xff\"\nbytes(subject.a)\nbytes(geo.country)\n",
    [GEN_TIME] =
        "now\nsession.auth_time\nsession.started\nsession.last_seen\ndevice.first_seen\n"
        "timestamp(\"2025-11-22T08:26:40Z\")\ntimestamp(\"2025-11-25T00:00:00.5+01:00\")\ntimestamp(0)\n"
        "timestamp(\"9999-12-31T23:59:59Z\")\ntimestamp(subject.when)\ntimestamp(subject.a)\nresource."
        "until\n",
    [GEN_DURATION] = "duration(\"15m\")\nduration(\"1h\")\nduration(\"-0.5s\")\nduration(\"0s\")\nduration("
                     "\"9223372036s\")\n"
                     "duration(subject.a)\nresource.span\nduration(\"1h30m\")\nduration(\"-1500ms\")\n",
    [GEN_IP] =
        "network.ip\nip(\"10.1.2.3\")\nip(\"2001:db8::1\")\nip(subject.a)\nip(subject.b)\nsubject.address\n",
    [GEN_CIDR] = "cidr(\"10.0.0.0/8\")\ncidr(\"192.0.2.1/24\")\ncidr(\"2001:db8::/33\")\ncidr(\"0.0.0.0/"
                 "0\")\ncidr(subject.a)\n",
    [GEN_LEVEL] = "risk.level\nlevel(\"low\")\nlevel(\"high\")\nlevel(\"critical\")\n",
    [GEN_STRENGTH] = "strength(\"password\")\nstrength(\"mfa\")\nstrength(\"phr\")\n",
    [GEN_TEXTS] = "session.amr\nnetwork.forwarded_for\n[\"x\", \"hr\", "
                  "\"y\"]\n[\"x\"]\nsubject.roles\nsubject.tags\nsubject.texts\n",
    [GEN_INTS] = "[1, 2, 3]\n[0]\n[2, 1, 0]\nsubject.tags\nresource.roles\n",
    [GEN_LIST] =
        "subject.roles\nsubject.tags\ncontext.tags\n[]\n[1, \"x\", null]\n[subject.a, 1]\n[[1], [2, 3]]\n",
    [GEN_MAP] = "subject.properties\ncontext.map\nsubject.map\ncontext.client\nrisk.signals\n{}\n{\"a\": 1, "
                "\"b\": \"x\"}\n"
                "subject\ncontext\n",
    [GEN_DYN] =
        "subject.a\nsubject.b\nsubject.n\nsubject.d\nsubject.ghost\nsubject.roles\nresource.a\nresource.map\n"
        "context.a\ncontext.client.a\ncontext.client.client.n\nsubject.properties.n\naction.a\nnull\ncontext."
        "when\n",
};

static const char *const BRANCHES[GEN_COUNT] = {
    [GEN_BOOL] =
        "(B && B)\n(B && B)\n(B || B)\n(B || B)\n!B\n!(B)\n(B ? B : B)\nB && B || B\nB || B && B\n!B && B\nB "
        "== B\n"
        "(I < I)\n(I >= D)\n(D <= U)\n(U == I)\n(I == I)\n(I != D)\n(D > D)\n(S == S)\n(S != S)\n(S < S)\n(T "
        "< T)\n(T >= T)\n"
        "(T == T)\n(P > P)\n(P == P)\n(N == N)\n(C == C)\n(E < E)\n(E >= E)\n(E == E)\n(G <= G)\n(G != "
        "G)\n(Y == Y)\n(Y < Y)\n"
        "(L == L)\n(K == K)\n(M == M)\n(M != M)\n(* == *)\n(* != *)\n(* == S)\n(I == *)\n(* < *)\n(* >= "
        "I)\n(* <= S)\n"
        "(T > *)\n(now - T > P)\n(now < T)\n(T + P < now)\n(now - P >= T)\n(now == T)\n(* == now)\n"
        "(S in L)\n(S in [S, S])\n(S in K)\n(* in K)\n(* in L)\n(I in J)\n(D in J)\n(S in M)\n(* in M)\n(* "
        "in *)\n"
        "(* in [\"x\", \"y\"])\n(* in [I, S])\n(S in {\"x\": 1, S: 2})\n(subject.n in {\"x\": 1})\n"
        "S.startsWith(S)\nS.endsWith(S)\nS.contains(S)\nS.matches(\"^[a-z]+$\")\nS.matches(\"x|y\")\n"
        "S.matches(\"^a*.?$\")\nS.matches(\"\\\\d+\")\nmatches(S, "
        "\"[^x]$\")\n*.startsWith(S)\n*.matches(\"^.$\")\n"
        "L.all(#S, B)\nL.exists(#S, B)\nL.exists_one(#S, B)\nJ.all(#I, B)\nJ.exists(#I, B)\nJ.existsOne(#I, "
        "B)\nK.all(#*, B)\n"
        "K.exists(#*, B)\nM.all(#S, B)\nM.exists(#S, B)\nK.exists(#I, #*, B)\nM.all(#S, #*, B)\n*.exists(#*, "
        "B)\n*.all(#*, B)\n"
        "C.containsIP(N)\nC.containsIP(S)\nisIP(S)\nhas(M.a)\nhas(M.client)\nhas({\"a\": "
        "*}.a)\nbool(S)\nbool(*)\n"
        "cel.bind(#*, *, B)\ncel.bind(#B, B, B)\ncel.bind(#S, S, B)\ncel.bind(#I, I, B)\ndyn(*)\ntype(*) == "
        "int\n"
        "type(*) == type(*)\nwithin(T, \"Mon-Fri 07:00-19:00\")\nvars.V\nM.a == S\nM[\"b\"]\nsubject.a == "
        "S\nsubject.a != *\n"
        "(B == true)\n(subject.b == B)\n(null == *)\nN in lists.offices\nS in lists.sanctioned\n* in "
        "lists.asns\n"
        "(S.charAt(I) == S)\n"
        "(S.indexOf(S) >= 0)\n"
        "(S.lowerAscii() == S.upperAscii())\n"
        "(S in S.split(S))\n"
        "(S.trim() == S)\n"
        "(S.split(S).join(S) == S)\n"
        "(S.reverse() == S)\n"
        "(S.substring(1) == S)\n"
        "math.isNaN(D)\n"
        "math.isInf(D / D)\n"
        "math.isFinite(D)\n"
        "math.isInf(D)\n"
        "(math.greatest(I, I) > I)\n"
        "(math.least(I, D) < U)\n"
        "math.isNaN(dyn(*))\n"
        "(math.bitAnd(I, 1) == 1)\n"
        "(base64.encode(Y) == S)\n",
    [GEN_INT] =
        "(I + I)\n(I - I)\nI * I\n(I / I)\n(I % I)\n-I\n-(I)\nI + I * I\n(I - I) - I\nI - (I - "
        "I)\nsize(S)\nsize(K)\n"
        "size(M)\nS.size()\nL.size()\nsize(*)\nsize(Y)\nint(S)\nint(D)\nint(U)\nint(T)\nint(*)\n(B ? I : I)\n"
        "J[I]\nJ[0]\nT.getFullYear()\nT.getHours()\nT.getDayOfWeek()\nT.getMinutes()\nP.getHours()\nP."
        "getSeconds()\n"
        "P.getMilliseconds()\nT.getMilliseconds()\nT.getDayOfYear()\nN.family()\nC.prefixLength()\n"
        "cel.bind(#I, I, I)\nvars.V\n"
        "S.indexOf(S)\n"
        "S.indexOf(S, I)\n"
        "S.indexOf(\"\", I)\n"
        "S.indexOf(\"a\", 1)\n"
        "S.lastIndexOf(S)\n"
        "S.lastIndexOf(S, I)\n"
        "S.lastIndexOf(\"\", I)\n"
        "S.lastIndexOf(\"a\", 3)\n"
        "dyn(*).indexOf(dyn(*))\n"
        "math.greatest(I, I)\n"
        "math.least(I, I, I)\n"
        "math.greatest(J)\n"
        "math.least(J)\n"
        "math.abs(I)\n"
        "math.abs(dyn(*))\n"
        "math.sign(I)\n"
        "math.sign(dyn(*))\n"
        "math.bitAnd(I, I)\n"
        "math.bitOr(I, I)\n"
        "math.bitXor(I, I)\n"
        "math.bitNot(I)\n"
        "math.bitNot(dyn(*))\n"
        "math.bitShiftLeft(I, I)\n"
        "math.bitShiftRight(I, I)\n"
        "math.bitShiftLeft(dyn(*), 1)\n"
        "math.bitShiftRight(-1, I)\n",
    [GEN_UINT] = "(U + U)\n(U - U)\nU * U\n(U / U)\nU % U\nuint(I)\nuint(S)\nuint(D)\n(B ? U : U)\n"
                 "math.greatest(U, U)\n"
                 "math.least(U, U)\n"
                 "math.abs(U)\n"
                 "math.sign(U)\n"
                 "math.bitAnd(U, U)\n"
                 "math.bitOr(U, U)\n"
                 "math.bitXor(U, U)\n"
                 "math.bitNot(U)\n"
                 "math.bitShiftLeft(U, I)\n"
                 "math.bitShiftRight(U, I)\n",
    [GEN_DOUBLE] =
        "(D + D)\n(D - D)\nD * D\nD / D\n-D\ndouble(I)\ndouble(S)\ndouble(U)\n(B ? D : D)\nvars.V\n"
        "math.ceil(D)\n"
        "math.floor(D)\n"
        "math.round(D)\n"
        "math.trunc(D)\n"
        "math.sqrt(D)\n"
        "math.sqrt(I)\n"
        "math.sqrt(U)\n"
        "math.sqrt(dyn(*))\n"
        "math.abs(D)\n"
        "math.sign(D)\n"
        "math.greatest(D, D)\n"
        "math.least([D, D])\n"
        "math.round(dyn(*))\n"
        "math.ceil(dyn(*))\n",
    [GEN_STRING] =
        "(S + S)\nS + "
        "S\nstring(I)\nstring(D)\nstring(B)\nstring(U)\nstring(T)\nstring(P)\nstring(N)\nstring(C)\n"
        "string(Y)\nstring(*)\n(B ? S : S)\nL[I]\nL[0]\nM.a\nM[\"b\"]\nM[S]\ncel.bind(#S, S, S)\nvars.V\n"
        "S.charAt(I)\n"
        "S.charAt(1)\n"
        "S.charAt(size(S))\n"
        "S.lowerAscii()\n"
        "S.upperAscii()\n"
        "S.replace(S, \"\\u00e4\")\n"
        "S.replace(\"a\", S)\n"
        "S.replace(\"\", \"-\")\n"
        "S.replace(S, \"yy\", I)\n"
        "S.replace(\"\", \"\\u20ac\", I)\n"
        "S.substring(I)\n"
        "S.substring(1)\n"
        "S.substring(I, I)\n"
        "S.substring(1, size(S))\n"
        "S.trim()\n"
        "S.reverse()\n"
        "L.join()\n"
        "L.join(S)\n"
        "K.join(\",\")\n"
        "*.join()\n"
        "strings.quote(S)\n"
        "strings.quote(\"\\a\\b\\f\\r\\v\\\\\" + S)\n"
        "dyn(*).charAt(dyn(*))\n"
        "*.lowerAscii()\n"
        "base64.encode(Y)\n"
        "base64.encode(bytes(S))\n"
        "*.trim()\n",
    [GEN_BYTES] = "(Y + Y)\nbytes(S)\n(B ? Y : Y)\n"
                  "base64.decode(S)\n"
                  "base64.decode(base64.encode(Y))\n"
                  "base64.decode(base64.encode(Y).replace(\"=\", \"\"))\n"
                  "base64.decode(S.substring(I))\n",
    [GEN_TIME] = "(T + P)\n(T - P)\n(P + T)\ntimestamp(S + \"\")\ntimestamp(I)\n(B ? T : T)\nvars.V\n",
    [GEN_DURATION] = "(T - T)\n(now - T)\n(P + P)\n(P - P)\n-P\nduration(S + \"\")\n(B ? P : P)\n",
    [GEN_IP] = "ip(S)\n(B ? N : N)\n",
    [GEN_CIDR] = "cidr(S)\n(B ? C : C)\n",
    [GEN_LEVEL] = "(B ? E : E)\nvars.V\n",
    [GEN_STRENGTH] = "(B ? G : G)\n",
    [GEN_TEXTS] =
        "[S, S]\n[S]\n(L + L)\nL.filter(#S, B)\nL.map(#S, S)\nJ.map(#I, S)\nL.map(#S, B, S)\nK.map(#*, S)\n"
        "L.transformList(#I, #S, S)\nM.map(#S, S)\n(B ? L : L)\nvars.V\nM.filter(#S, B)\n"
        "S.split(S)\n"
        "S.split(\"\")\n"
        "S.split(\",\")\n"
        "S.split(S, I)\n"
        "S.split(\"\", I)\n"
        "S.split(\"a\", 2)\n"
        "dyn(*).split(dyn(*))\n",
    [GEN_INTS] = "[I, I]\n[I]\n(J + J)\nJ.filter(#I, B)\nJ.map(#I, I)\nL.map(#S, I)\nJ.map(#I, B, "
                 "I)\nJ.transformList(#I, #I, I)\n"
                 "J.transformList(#I, #I, B, I)\n(B ? J : J)\nvars.V\n",
    [GEN_LIST] = "[*, *]\n[S, I]\n[B, *, D]\n(K + K)\nK.filter(#*, B)\nK.map(#*, *)\nJ.map(#I, [#, "
                 "I])\n*.map(#*, *)\n[K, M]\n"
                 "*.filter(#*, B)\n",
    [GEN_MAP] = "{\"a\": *, S: *}\n{S: S}\n{\"a\": I, \"b\": K}\nM.transformMap(#S, #*, "
                "*)\nM.transformMap(#S, #*, B, *)\n"
                "(B ? M : M)\n",
    [GEN_DYN] =
        "dyn(S)\ndyn(I)\ndyn(B)\ndyn(K)\ndyn(M)\ndyn(E)\ndyn(T)\ndyn(*)\n(B ? * : "
        "*)\nM.a\nM.client\nM[S]\nK[I]\nK[D]\n"
        "M.client.a\ncel.bind(#*, *, *)\nvars.V\nM[\"n\"]\ndyn(D)\ndyn(U)\ndyn(P)\ndyn(N)\n{1: S, 2: *}[I]\n"
        "math.greatest(I, D)\n"
        "math.least(D, U, I)\n"
        "math.greatest(dyn(*), dyn(*))\n"
        "math.greatest(dyn(*))\n"
        "math.least(K)\n"
        "math.greatest([I, D, U])\n"
        "math.least(D / D, I)\n"
        "math.abs(dyn(*))\n"
        "math.sign(dyn(*))\n"
        "math.bitOr(dyn(*), dyn(*))\n"
        "math.bitXor(dyn(*), I)\n"
        "math.bitShiftLeft(dyn(*), dyn(*))\n"
        "base64.decode(dyn(*))\n"
        "base64.encode(dyn(*))\n"
        "dyn(*).replace(dyn(*), dyn(*))\n"
        "dyn(*).substring(dyn(*), dyn(*))\n",
};

static struct str pick(struct gen *g, const char *lines)
{
    uint32_t count = 0;
    for (const char *at = lines; *at != '\0'; at++) {
        count += *at == '\n';
    }
    uint32_t wanted = chance_below(g->chance, count);
    while (wanted > 0) {
        wanted -= *lines++ == '\n';
    }
    return (struct str){lines, (size_t)(strchr(lines, '\n') - lines)};
}

static bool use_local(struct gen *g, struct buf *out, enum gen_type type)
{
    uint32_t from = g->local_count == 0 ? 0 : chance_below(g->chance, g->local_count);
    for (uint32_t n = 0; n < g->local_count; n++) {
        uint32_t i = (from + n) % g->local_count;
        bool hidden = false;
        for (uint32_t k = i + 1; k < g->local_count; k++) {
            hidden = hidden || str_eq(g->locals[k].name, g->locals[i].name);
        }
        if (!hidden && (g->locals[i].type == type || g->locals[i].type == GEN_DYN)) {
            buf_str(out, g->locals[i].name);
            g->local_uses++;
            return true;
        }
    }
    return false;
}

static bool use_var(struct gen *g, struct buf *out, enum gen_type type)
{
    for (uint32_t i = 0; i < g->var_count; i++) {
        if (g->vars[i].type == type) {
            buf_printf(out, "vars." STR_FMT, STR_ARG(g->vars[i].name));
            return true;
        }
    }
    return false;
}

static enum gen_type type_of(char letter)
{
    const char *at = strchr(LETTERS, letter);
    return at != NULL && letter != '\0' ? (enum gen_type)(at - LETTERS) : GEN_DYN;
}

static void declare(struct gen *g, struct buf *out, char letter)
{
    static const struct str NAMES[] = {{"x", 1}, {"y", 1}, {"z", 1}, {"e", 1}, {"v", 1}, {"subject", 7}};
    struct str name = NAMES[chance_below(g->chance, g->local_count > 6                 ? 5
                                                    : chance_below(g->chance, 30) == 0 ? 6
                                                                                       : 4)];
    bool taken = g->local_count > 0 && str_eq(g->locals[g->local_count - 1].name, name);
    name = taken ? NAMES[4] : name;
    buf_str(out, name);
    g->locals[g->local_count].name = name;
    g->locals[g->local_count++].type = type_of(letter);
}

// Is the letter at `at` a part, not a letter of a word or of a text?
static bool is_part(struct str line, size_t at)
{
    bool alone = (at == 0 || (!isalnum((unsigned char)line.at[at - 1]) && line.at[at - 1] != '.' &&
                              line.at[at - 1] != '\\')) &&
                 (at + 1 == line.len || !isalnum((unsigned char)line.at[at + 1]));
    return alone && strchr(LETTERS, line.at[at]) != NULL;
}

// `*` is a sign and a part: a sign stands between two spaces.
static bool is_times(struct str line, size_t at)
{
    return line.at[at] == '*' && at > 1 && at + 2 < line.len && line.at[at - 1] == ' ' &&
           line.at[at + 1] == ' ' &&
           (isalpha((unsigned char)line.at[at - 2]) != 0 && isalpha((unsigned char)line.at[at + 2]) != 0 &&
            strchr("IUD", line.at[at - 2]) != NULL && strchr("IUD", line.at[at + 2]) != NULL);
}

// A `#` before a letter declares a variable of that type, seen in what follows; `#` alone is the last one.
static void write_line(struct gen *g, struct buf *out, struct str line, uint32_t depth)
{
    bool quoted = false;
    uint32_t before = g->local_count;
    for (size_t at = 0; at < line.len; at++) {
        char c = line.at[at];
        quoted = quoted != (c == '"');
        if (c == '#' && at + 1 < line.len && line.at[at + 1] != ',') {
            declare(g, out, line.at[++at]);
        } else if (c == '#') {
            buf_str(out, g->locals[g->local_count - 1].name);
            g->local_uses++;
        } else if (!quoted && !is_times(line, at) && is_part(line, at)) {
            gen_expr(g, out, type_of(c), depth - 1);
        } else {
            buf_byte(out, (unsigned char)c);
        }
    }
    g->local_count = before;
}

// cel.bind(name, value, body): the body sees the name, the value does not.
static void write_bind(struct gen *g, struct buf *out, struct str line, uint32_t depth)
{
    struct str parts = str_sub(line, strlen("cel.bind(#"), line.len); // `S, I, B)`
    uint32_t before = g->local_count;
    buf_str(out, STR("cel.bind("));
    declare(g, out, parts.at[0]);
    struct str name = g->locals[before].name;
    g->local_count = before;
    buf_str(out, STR(", "));
    gen_expr(g, out, type_of(parts.at[3]), depth - 1);
    buf_str(out, STR(", "));
    g->locals[before].name = name;
    g->locals[before].type = type_of(parts.at[0]);
    g->local_count = before + 1;
    gen_expr(g, out, type_of(parts.at[6]), depth - 1);
    g->local_count = before;
    buf_byte(out, ')');
}

static void remember(struct gen *g, struct str text, enum gen_type type)
{
    uint32_t at = g->pool_count[type]++ % GEN_POOL;
    if (text.len < 200) {
        g->pool[type][at] = arena_str(g->arena, text, NULL);
    } else {
        g->pool_count[type]--;
    }
}

static void branch(struct gen *g, struct buf *out, enum gen_type type, uint32_t depth)
{
    struct str line = pick(g, BRANCHES[type]);
    bool declares = str_find(line, STR("#"), 0) != SIZE_MAX;
    while (declares && g->local_count + 2 > GEN_LOCALS) {
        line = pick(g, BRANCHES[type]);
        declares = str_find(line, STR("#"), 0) != SIZE_MAX;
    }
    if (str_eq(line, STR("vars.V"))) {
        if (!use_var(g, out, type)) {
            gen_expr(g, out, type, depth - 1);
        }
    } else if (str_starts(line, STR("cel.bind"))) {
        write_bind(g, out, line, depth);
    } else {
        write_line(g, out, line, depth);
    }
}

void gen_expr(struct gen *g, struct buf *out, enum gen_type type, uint32_t depth)
{
    uint32_t luck = chance_below(g->chance, 100), known = g->pool_count[type];
    known = known > GEN_POOL ? GEN_POOL : known;
    if (luck < 40 && g->local_count > 0 && use_local(g, out, type)) {
        return;
    }
    if (luck < 55 && known > 0 && depth < 5) {
        buf_str(out, g->pool[type][chance_below(g->chance, known)]);
        return;
    }
    if (luck < 58 && type != GEN_DYN) { // a value of unknown type stands anywhere
        type = GEN_DYN;
    }
    if (depth == 0 || luck > 90) {
        buf_str(out, pick(g, LEAVES[type]));
        return;
    }
    size_t from = out->len;
    uint32_t uses = g->local_uses;
    // A whole part is put in brackets, so that where it stands does not change it; often it already is.
    bool bare = chance_below(g->chance, 12) == 0;
    if (!bare) {
        buf_byte(out, '(');
    }
    branch(g, out, type, depth);
    if (!bare) {
        buf_byte(out, ')');
    }
    if (!bare && g->local_uses == uses) {
        remember(g, str_sub(buf_view(out), from, out->len - from), type);
    }
}
