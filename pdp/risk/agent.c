// SPDX-License-Identifier: Apache-2.0
// HOT
// User agents to family, system and tool: one pass over the words, each looked up in one table.
#include "risk/risk.h"

// X(name, words for people, tool)
#define FAMILY_LIST(X)                      \
    X(UNKNOWN, "an unknown agent", false)   \
    X(CHROME, "chrome", false)              \
    X(FIREFOX, "firefox", false)            \
    X(SAFARI, "safari", false)              \
    X(EDGE, "edge", false)                  \
    X(OPERA, "opera", false)                \
    X(SAMSUNG, "samsung browser", false)    \
    X(VIVALDI, "vivaldi", false)            \
    X(YANDEX, "yandex browser", false)      \
    X(DUCKDUCKGO, "duckduckgo", false)      \
    X(UC, "uc browser", false)              \
    X(EXPLORER, "internet explorer", false) \
    X(WEBVIEW, "a web view", false)         \
    X(HEADLESS, "a headless browser", true) \
    X(BOT, "a bot", true)                   \
    X(CURL, "curl", true)                   \
    X(WGET, "wget", true)                   \
    X(HTTPIE, "httpie", true)               \
    X(PYTHON, "python", true)               \
    X(BOTO, "boto3", true)                  \
    X(AWS_CLI, "aws-cli", true)             \
    X(AWS_SDK, "an aws sdk", true)          \
    X(AWS_SERVICE, "an aws service", true)  \
    X(TERRAFORM, "terraform", true)         \
    X(ATTACK, "an attack tool", true)       \
    X(GO, "go", true)                       \
    X(JAVA, "java", true)                   \
    X(OKHTTP, "okhttp", true)               \
    X(POSTMAN, "postman", true)             \
    X(INSOMNIA, "insomnia", true)           \
    X(NODE, "node", true)                   \
    X(RUBY, "ruby", true)                   \
    X(PERL, "perl", true)                   \
    X(PHP, "php", true)                     \
    X(RUST, "rust", true)                   \
    X(DOTNET, ".net", true)                 \
    X(POWERSHELL, "powershell", true)       \
    X(APPLE, "an apple app", true)          \
    X(ANDROID_APP, "an android app", true)

enum family {
#define X(name, text, tool) FAMILY_##name,
    FAMILY_LIST(X)
#undef X
    FAMILY_COUNT
};

static const struct {
    struct str name;
    bool tool;
} FAMILIES[] = {
#define X(name, text, tool) {{text, sizeof(text) - 1}, tool},
    FAMILY_LIST(X)
#undef X
};

#define OS_LIST(X)                  \
    X(UNKNOWN, "an unknown system") \
    X(WINDOWS, "windows")           \
    X(MACOS, "macos")               \
    X(LINUX, "linux")               \
    X(ANDROID, "android")           \
    X(IOS, "ios")                   \
    X(CHROMEOS, "chromeos")         \
    X(BSD, "bsd")                   \
    X(TV, "a television")

enum os {
#define X(name, text) OS_##name,
    OS_LIST(X)
#undef X
    OS_COUNT
};

_Static_assert(FAMILY_COUNT <= 256 && OS_COUNT <= 32, "records keep a byte and five bits");

static const struct str SYSTEMS[] = {
#define X(name, text) {text, sizeof(text) - 1},
    OS_LIST(X)
#undef X
};

// A word and what it stands for. Agents name all that they descend from (Edge names Chrome names Safari), so
// the highest rank of a text wins, and of equals the first.
struct mark {
    struct str word; // lower case
    uint8_t rank;
    uint8_t of; // family or system
};

#define WORD(text)                \
    {                             \
        "" text, sizeof(text) - 1 \
    }

// Both tables are sorted by their words.
static const struct mark FAMILY_MARKS[] = {
    {WORD("ahc"), 40, FAMILY_JAVA},
    {WORD("aiohttp"), 41, FAMILY_PYTHON},
    {WORD("apache-httpclient"), 40, FAMILY_JAVA},
    {WORD("aws"), 20, FAMILY_AWS_SERVICE},
    {WORD("aws-cli"), 60, FAMILY_AWS_CLI},
    {WORD("aws-internal"), 20, FAMILY_AWS_SERVICE},
    {WORD("aws-sdk-cpp"), 50, FAMILY_AWS_SDK},
    {WORD("aws-sdk-go"), 50, FAMILY_AWS_SDK},
    {WORD("aws-sdk-go-v2"), 50, FAMILY_AWS_SDK},
    {WORD("aws-sdk-java"), 50, FAMILY_AWS_SDK},
    {WORD("aws-sdk-js"), 50, FAMILY_AWS_SDK},
    {WORD("aws-sdk-nodejs"), 50, FAMILY_AWS_SDK},
    {WORD("aws-sdk-php"), 50, FAMILY_AWS_SDK},
    {WORD("aws-sdk-ruby3"), 50, FAMILY_AWS_SDK},
    {WORD("aws-sdk-rust"), 50, FAMILY_AWS_SDK},
    {WORD("axios"), 40, FAMILY_NODE},
    {WORD("boto3"), 55, FAMILY_BOTO},
    {WORD("botocore"), 52, FAMILY_BOTO},
    {WORD("bun"), 38, FAMILY_NODE},
    {WORD("cfnetwork"), 15, FAMILY_APPLE},
    {WORD("chrome"), 11, FAMILY_CHROME},
    {WORD("chromium"), 11, FAMILY_CHROME},
    {WORD("crios"), 12, FAMILY_CHROME},
    {WORD("curl"), 41, FAMILY_CURL},
    {WORD("dalvik"), 15, FAMILY_ANDROID_APP},
    {WORD("ddg"), 20, FAMILY_DUCKDUCKGO},
    {WORD("deno"), 38, FAMILY_NODE},
    {WORD("dirbuster"), 90, FAMILY_ATTACK},
    {WORD("duckduckgo"), 20, FAMILY_DUCKDUCKGO},
    {WORD("edg"), 20, FAMILY_EDGE},
    {WORD("edga"), 20, FAMILY_EDGE},
    {WORD("edge"), 20, FAMILY_EDGE},
    {WORD("edgios"), 20, FAMILY_EDGE},
    {WORD("facebookexternalhit"), 70, FAMILY_BOT},
    {WORD("fbav"), 18, FAMILY_WEBVIEW},
    {WORD("ffuf"), 90, FAMILY_ATTACK},
    {WORD("firefox"), 12, FAMILY_FIREFOX},
    {WORD("focus"), 12, FAMILY_FIREFOX},
    {WORD("fxios"), 12, FAMILY_FIREFOX},
    {WORD("go-http-client"), 40, FAMILY_GO},
    {WORD("go-resty"), 41, FAMILY_GO},
    {WORD("gobuster"), 90, FAMILY_ATTACK},
    {WORD("got"), 40, FAMILY_NODE},
    {WORD("gsa"), 13, FAMILY_WEBVIEW},
    {WORD("guzzlehttp"), 40, FAMILY_PHP},
    {WORD("hashicorp"), 53, FAMILY_TERRAFORM},
    {WORD("headlesschrome"), 30, FAMILY_HEADLESS},
    {WORD("httpie"), 43, FAMILY_HTTPIE},
    {WORD("hydra"), 90, FAMILY_ATTACK},
    {WORD("insomnia"), 45, FAMILY_INSOMNIA},
    {WORD("instagram"), 18, FAMILY_WEBVIEW},
    {WORD("jakarta"), 40, FAMILY_JAVA},
    {WORD("java"), 38, FAMILY_JAVA},
    {WORD("java-http-client"), 40, FAMILY_JAVA},
    {WORD("libwww-perl"), 40, FAMILY_PERL},
    {WORD("lwp"), 40, FAMILY_PERL},
    {WORD("masscan"), 90, FAMILY_ATTACK},
    {WORD("msie"), 16, FAMILY_EXPLORER},
    {WORD("nikto"), 90, FAMILY_ATTACK},
    {WORD("nmap"), 90, FAMILY_ATTACK},
    {WORD("node"), 37, FAMILY_NODE},
    {WORD("node-fetch"), 40, FAMILY_NODE},
    {WORD("nuclei"), 90, FAMILY_ATTACK},
    {WORD("okhttp"), 39, FAMILY_OKHTTP},
    {WORD("opera"), 20, FAMILY_OPERA},
    {WORD("opios"), 20, FAMILY_OPERA},
    {WORD("opr"), 20, FAMILY_OPERA},
    {WORD("opt"), 20, FAMILY_OPERA},
    {WORD("perl"), 38, FAMILY_PERL},
    {WORD("phantomjs"), 30, FAMILY_HEADLESS},
    {WORD("php"), 37, FAMILY_PHP},
    {WORD("postmanruntime"), 45, FAMILY_POSTMAN},
    {WORD("powershell"), 45, FAMILY_POWERSHELL},
    {WORD("puppeteer"), 31, FAMILY_HEADLESS},
    {WORD("python"), 38, FAMILY_PYTHON},
    {WORD("python-httpx"), 41, FAMILY_PYTHON},
    {WORD("python-requests"), 41, FAMILY_PYTHON},
    {WORD("python-urllib"), 41, FAMILY_PYTHON},
    {WORD("reqwest"), 40, FAMILY_RUST},
    {WORD("restsharp"), 40, FAMILY_DOTNET},
    {WORD("ruby"), 38, FAMILY_RUBY},
    {WORD("safari"), 10, FAMILY_SAFARI},
    {WORD("samsungbrowser"), 20, FAMILY_SAMSUNG},
    {WORD("scrapy"), 70, FAMILY_BOT},
    {WORD("selenium"), 31, FAMILY_HEADLESS},
    {WORD("slurp"), 70, FAMILY_BOT},
    {WORD("sqlmap"), 90, FAMILY_ATTACK},
    {WORD("stratus-red-team"), 90, FAMILY_ATTACK},
    {WORD("terraform"), 54, FAMILY_TERRAFORM},
    {WORD("trident"), 16, FAMILY_EXPLORER},
    {WORD("typhoeus"), 40, FAMILY_RUBY},
    {WORD("ucbrowser"), 20, FAMILY_UC},
    {WORD("undici"), 40, FAMILY_NODE},
    {WORD("urllib3"), 36, FAMILY_PYTHON},
    {WORD("vivaldi"), 20, FAMILY_VIVALDI},
    {WORD("wget"), 41, FAMILY_WGET},
    {WORD("windowspowershell"), 45, FAMILY_POWERSHELL},
    {WORD("winhttp"), 39, FAMILY_DOTNET},
    {WORD("wpscan"), 90, FAMILY_ATTACK},
    {WORD("yabrowser"), 20, FAMILY_YANDEX},
    {WORD("zgrab"), 90, FAMILY_ATTACK},
};

static const struct mark OS_MARKS[] = {
    {WORD("android"), 20, OS_ANDROID}, {WORD("bsd"), 12, OS_BSD},       {WORD("cros"), 20, OS_CHROMEOS},
    {WORD("darwin"), 8, OS_MACOS},     {WORD("freebsd"), 12, OS_BSD},   {WORD("ios"), 15, OS_IOS},
    {WORD("ipad"), 25, OS_IOS},        {WORD("iphone"), 25, OS_IOS},    {WORD("ipod"), 25, OS_IOS},
    {WORD("linux"), 10, OS_LINUX},     {WORD("mac"), 10, OS_MACOS},     {WORD("macintosh"), 11, OS_MACOS},
    {WORD("macos"), 11, OS_MACOS},     {WORD("openbsd"), 12, OS_BSD},   {WORD("smart-tv"), 22, OS_TV},
    {WORD("tizen"), 21, OS_TV},        {WORD("ubuntu"), 10, OS_LINUX},  {WORD("web0s"), 22, OS_TV},
    {WORD("win32"), 11, OS_WINDOWS},   {WORD("win64"), 11, OS_WINDOWS}, {WORD("windows"), 12, OS_WINDOWS},
};

#define WORD_MAX 24 // longer words are none of ours, but may end in one

static char lower(char c)
{
    return (unsigned char)(c - 'A') < 26 ? (char)(c | 0x20) : c;
}

// Letters, digits, dot and hyphen make a word; its version follows after a slash or a space.
static bool in_word(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 || (unsigned char)(c - '0') < 10 || c == '-' || c == '.';
}

// Where each letter's words begin in a table; the last is its length.
static const uint8_t FAMILY_FIRST[27] = {0,  16, 19, 24, 29, 33, 39, 45, 49, 51, 54, 54,  56, 58,
                                         63, 68, 78, 78, 81, 88, 91, 94, 95, 99, 99, 100, 101};
static const uint8_t OS_FIRST[27] = {0,  1,  2,  3,  4,  4,  5,  5,  5,  9,  9,  9,  10, 13,
                                     13, 14, 14, 14, 14, 15, 16, 17, 17, 21, 21, 21, 21};

_Static_assert(COUNT_OF(FAMILY_MARKS) == 101 && COUNT_OF(OS_MARKS) == 21,
               "the letters' bounds follow the tables");

static const struct mark *find(const struct mark *marks, const uint8_t first[static 27], struct str word)
{
    unsigned letter = (unsigned)word.at[0] - 'a';
    for (unsigned i = first[letter]; i < first[letter + 1]; i++) {
        if (marks[i].word.len == word.len && memcmp(marks[i].word.at, word.at, word.len) == 0) {
            return &marks[i];
        }
    }
    return NULL;
}

static void keep_best(const struct mark **best, const struct mark *found)
{
    if (found != NULL && (*best == NULL || found->rank > (*best)->rank)) {
        *best = found;
    }
}

// Crawlers and services that say so in how their names end.
static const struct mark *by_ending(struct str word)
{
    static const struct mark BOT = {WORD("bot"), 70, FAMILY_BOT};
    static const struct mark SERVICE = {WORD("amazonaws.com"), 20, FAMILY_AWS_SERVICE};
    char last = word.at[word.len - 1];
    if (last != 't' && last != 'r' && last != 'm') {
        return NULL;
    }
    if (str_ends(word, STR("bot")) || str_ends(word, STR("crawler")) || str_ends(word, STR("spider"))) {
        return &BOT;
    }
    return str_ends(word, STR(".amazonaws.com")) ? &SERVICE : NULL;
}

struct found {
    const struct mark *family, *os;
    uint32_t version;  // behind the family's word
    uint32_t said;     // behind `Version`: that of Safari and of old Opera, who keep their own words' still
    uint32_t revision; // behind `rv`: that of the last Internet Explorer
    bool mobile, tablet;
};

// The number behind a word and one sign; 0 where there is none.
static uint32_t number_at(struct str text, size_t at)
{
    uint32_t number = 0;
    bool sign = at < text.len && (text.at[at] == '/' || text.at[at] == ' ' || text.at[at] == ':');
    for (at += sign; at < text.len && (unsigned char)(text.at[at] - '0') < 10; at++) {
        number = number * 10 + (uint32_t)(text.at[at] - '0');
        number = number < UINT16_MAX ? number : UINT16_MAX;
    }
    return number;
}

static void take_device(struct found *found, struct str word)
{
    found->mobile |= str_eq(word, STR("mobile")) || str_eq(word, STR("iphone")) || str_eq(word, STR("ipod"));
    found->tablet |= str_eq(word, STR("tablet")) || str_eq(word, STR("ipad"));
}

static void take_word(struct found *found, struct str word, struct str text, size_t end)
{
    const struct mark *was = found->family;
    keep_best(&found->family, find(FAMILY_MARKS, FAMILY_FIRST, word));
    keep_best(&found->family, by_ending(word));
    if (found->family != was) {
        found->version = number_at(text, end);
    }
    keep_best(&found->os, find(OS_MARKS, OS_FIRST, word));
    take_device(found, word);
    if (str_eq(word, STR("version"))) {
        found->said = number_at(text, end);
    } else if (str_eq(word, STR("rv"))) {
        found->revision = number_at(text, end);
    }
}

static struct found read_words(struct str text)
{
    struct found found = {0};
    size_t at = 0;
    while (at < text.len) {
        char word[WORD_MAX];
        size_t from = at;
        while (at < text.len && in_word(text.at[at])) {
            at++;
        }
        size_t len = at - from, kept = len < WORD_MAX ? len : WORD_MAX;
        for (size_t i = 0; i < kept; i++) {
            word[i] = lower(text.at[at - kept + i]);
        }
        if (len > WORD_MAX) {
            keep_best(&found.family, by_ending((struct str){word, kept}));
        } else if (len > 1 && word[0] >= 'a' && word[0] <= 'z') {
            take_word(&found, (struct str){word, kept}, text, at);
        }
        at += len == 0;
    }
    return found;
}

static uint16_t version_of(const struct found *found, uint16_t family)
{
    bool named = family == FAMILY_SAFARI || (family == FAMILY_OPERA && found->version == 9);
    uint32_t version = named && found->said != 0 ? found->said : found->version;
    if (family == FAMILY_EXPLORER && found->revision > version) {
        version = found->revision;
    }
    return (uint16_t)version;
}

static enum sight_class device_of(const struct found *found, uint16_t os, bool tool)
{
    if (tool) {
        return SIGHT_CLASS_TOOL;
    }
    if (os == OS_TV) {
        return SIGHT_CLASS_OTHER;
    }
    if (found->tablet || (os == OS_ANDROID && !found->mobile)) {
        return SIGHT_CLASS_TABLET;
    }
    if (found->mobile || os == OS_ANDROID || os == OS_IOS) {
        return SIGHT_CLASS_MOBILE;
    }
    return os == OS_UNKNOWN ? SIGHT_CLASS_UNKNOWN : SIGHT_CLASS_DESKTOP;
}

void risk_agent_read(struct str user_agent, struct risk_agent *out)
{
    struct found found = read_words(user_agent);
    out->family = found.family != NULL ? found.family->of : FAMILY_UNKNOWN;
    out->os = found.os != NULL ? found.os->of : OS_UNKNOWN;
    // Every browser still calls itself Mozilla, or old Opera.
    bool browser = str_starts(user_agent, STR("Mozilla/")) || str_starts(user_agent, STR("Opera/"));
    out->tool = user_agent.len > 0 && (FAMILIES[out->family].tool || !browser);
    out->version = version_of(&found, out->family);
    out->device = (uint8_t)device_of(&found, out->os, out->tool);
}

struct str risk_agent_family(uint16_t family)
{
    return FAMILIES[family < FAMILY_COUNT ? family : FAMILY_UNKNOWN].name;
}

struct str risk_agent_os(uint16_t os)
{
    return SYSTEMS[os < OS_COUNT ? os : OS_UNKNOWN];
}

struct str risk_agent_class(uint8_t device)
{
    static const struct str NAMES[] = {
#define X(name, text) {text, sizeof(text) - 1},
        SIGHT_CLASS_LIST(X)
#undef X
    };
    return NAMES[device < SIGHT_CLASS_COUNT ? device : SIGHT_CLASS_UNKNOWN];
}
