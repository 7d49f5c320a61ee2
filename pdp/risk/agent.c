// SPDX-License-Identifier: Apache-2.0
// HOT
// User agents to family, system, device, version and tool: one pass over the words, each looked up in one
// table.
#include "risk/agent_words.h"
#include "risk/risk.h"

static const struct {
    struct str name;
    bool tool;
} FAMILIES[] = {
#define X(name, text, tool) {{text, sizeof(text) - 1}, tool},
    FAMILY_LIST(X)
#undef X
};

static const struct str SYSTEMS[] = {
#define X(name, text) {text, sizeof(text) - 1},
    OS_LIST(X)
#undef X
};

#define TEXT_MOST 1024 // what stands behind that is not read: no real agent is so long

static char lower(char c)
{
    return (unsigned char)(c - 'A') < 26 ? (char)(c | 0x20) : c;
}

// Letters, digits, dot and hyphen make a word; its version follows after a slash or a space.
static bool in_word(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 || (unsigned char)(c - '0') < 10 || c == '-' || c == '.';
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

struct found {
    const struct agent_mark *family, *os;
    uint32_t own, numbers[NUMBER_KINDS]; // behind the family's word, and by kind
    bool classes[SIGHT_CLASS_COUNT];
};

// A word in hand: lower case, filled up with zeros; the end of a longer one.
struct word {
    char text[AGENT_WORD_MAX + 1];
    size_t len;
    bool whole, first, product;
    uint32_t number; // behind it
};

// The first number behind a word and one sign; 0 where there is none.
static uint32_t number_at(struct str text, size_t at)
{
    uint32_t number = 0;
    bool sign = at < text.len && (text.at[at] == '/' || text.at[at] == ' ' || text.at[at] == ':');
    for (at += sign; at < text.len && is_digit(text.at[at]); at++) {
        number = number * 10 + (uint32_t)(text.at[at] - '0');
        number = number < UINT16_MAX ? number : UINT16_MAX;
    }
    return number;
}

static uint64_t head_of(const char *word)
{
    uint64_t head = 0;
    memcpy(&head, word, sizeof head);
    return head;
}

static const struct agent_mark *find(const struct word *word)
{
    unsigned letter = (unsigned)word->text[0] - 'a';
    if (letter >= 26) {
        return NULL;
    }
    uint64_t head = head_of(word->text);
    for (unsigned i = AGENT_FIRST[letter]; i < AGENT_FIRST[letter + 1]; i++) {
        const struct agent_mark *mark = &AGENT_MARKS[i];
        if (head_of(mark->word) == head && memcmp(mark->word, word->text, sizeof mark->word) == 0) {
            return mark;
        }
    }
    return NULL;
}

static const struct agent_mark *find_start(const struct word *word)
{
    for (const struct agent_mark *mark = AGENT_STARTS; word->whole && mark->len != 0; mark++) {
        if (mark->word[0] == word->text[0] && word->len > mark->len &&
            memcmp(mark->word, word->text, mark->len) == 0) {
            return mark;
        }
    }
    return NULL;
}

// Crawlers and services that say so in how their names end.
static const struct agent_mark *find_end(const struct word *word)
{
    char last = word->text[word->len - 1];
    if (last != 't' && last != 'r' && last != 'm') {
        return NULL;
    }
    for (const struct agent_mark *mark = AGENT_ENDS; mark->len != 0; mark++) {
        if (word->len >= mark->len &&
            memcmp(mark->word, word->text + word->len - mark->len, mark->len) == 0) {
            return mark;
        }
    }
    return NULL;
}

static void take_mark(struct found *found, const struct agent_mark *mark, const struct word *word)
{
    if (mark->rank != 0 && (word->first || word->product || mark->anywhere) &&
        (found->family == NULL || mark->rank > found->family->rank)) {
        found->family = mark;
        found->own = word->number;
    }
    if (mark->os_rank != 0 && (found->os == NULL || mark->os_rank > found->os->os_rank)) {
        found->os = mark;
    }
    found->classes[mark->device] = true;
    if (word->number != 0) {
        found->numbers[mark->number] = word->number;
    }
}

static void take_word(struct found *found, const struct word *word)
{
    const struct agent_mark *mark = word->whole ? find(word) : NULL;
    mark = mark != NULL ? mark : find_start(word);
    mark = mark != NULL ? mark : find_end(word);
    if (mark != NULL) {
        take_mark(found, mark, word);
    }
}

static struct found read_words(struct str text)
{
    struct found found = {0};
    bool first = true;
    for (size_t at = 0; at < text.len; at++) {
        size_t from = at;
        while (at < text.len && in_word(text.at[at])) {
            at++;
        }
        size_t len = at - from, kept = len < AGENT_WORD_MAX ? len : AGENT_WORD_MAX;
        if (len < 2) {
            continue;
        }
        struct word word = {.len = kept, .whole = len == kept, .first = first};
        for (size_t i = 0; i < kept; i++) {
            word.text[i] = lower(text.at[at - kept + i]);
        }
        word.product = at < text.len && text.at[at] == '/';
        word.number = number_at(text, at);
        take_word(&found, &word);
        first = false;
    }
    return found;
}

static uint16_t family_of(const struct found *found, uint16_t os)
{
    uint16_t family = found->family != NULL ? found->family->family : FAMILY_UNKNOWN;
    // Apple never made a browser for Android: the one that came with it says that it is Safari.
    return family == FAMILY_SAFARI && os == OS_ANDROID ? FAMILY_ANDROID_BROWSER : family;
}

static uint32_t version_of(const struct found *found, uint16_t family)
{
    const uint32_t *numbers = found->numbers;
    if (found->family == NULL || found->family->number == NUMBER_NONE) {
        return 0;
    }
    switch ((enum family)family) {
    case FAMILY_SAFARI:
    case FAMILY_ANDROID_BROWSER:
    case FAMILY_BLACKBERRY:
        return numbers[NUMBER_SAID];
    case FAMILY_OPERA: // since its tenth it has kept its own number at 9
        return found->own == 9 && numbers[NUMBER_SAID] > 9 ? numbers[NUMBER_SAID] : found->own;
    case FAMILY_EXPLORER: // one that plays an older one still names its engine
        if (numbers[NUMBER_TRIDENT] != 0) {
            return numbers[NUMBER_TRIDENT] + 4;
        }
        return found->own;
    case FAMILY_WEBVIEW:
        return numbers[NUMBER_ENGINE] != 0 ? numbers[NUMBER_ENGINE] : found->own;
    default:
        return found->own;
    }
}

static enum sight_class device_of(const struct found *found, uint16_t os, bool tool)
{
    bool mobile = found->classes[SIGHT_CLASS_MOBILE], tablet = found->classes[SIGHT_CLASS_TABLET];
    if (tool) {
        return SIGHT_CLASS_TOOL;
    }
    if (found->classes[SIGHT_CLASS_OTHER] || os == OS_CONSOLE || os == OS_WATCH || (os == OS_TV && !mobile)) {
        return SIGHT_CLASS_OTHER;
    }
    if (os == OS_WINDOWS) { // whose Explorer says `Tablet PC` on any machine
        return SIGHT_CLASS_DESKTOP;
    }
    // An iPad that asks for what desktops get is a Macintosh, but for its web views.
    if (tablet || ((os == OS_ANDROID || os == OS_HARMONY) && !mobile) || (os == OS_MACOS && mobile)) {
        return SIGHT_CLASS_TABLET;
    }
    if (mobile || os == OS_IOS || os == OS_WINDOWS_PHONE || os == OS_BLACKBERRY || os == OS_SYMBIAN ||
        os == OS_KAIOS) {
        return SIGHT_CLASS_MOBILE;
    }
    return os == OS_UNKNOWN ? SIGHT_CLASS_UNKNOWN : SIGHT_CLASS_DESKTOP;
}

void risk_agent_read(struct str user_agent, struct risk_agent *out)
{
    struct found found = read_words(str_sub(user_agent, 0, TEXT_MOST));
    out->os = found.os != NULL ? found.os->os : OS_UNKNOWN;
    out->family = family_of(&found, out->os);
    // Every browser still calls itself Mozilla, or old Opera; those of small phones name what they run on.
    bool known = out->family != FAMILY_UNKNOWN && found.classes[SIGHT_CLASS_MOBILE];
    bool browser = known || str_starts(user_agent, STR("Mozilla/")) || str_starts(user_agent, STR("Opera/"));
    out->tool = user_agent.len > 0 && (FAMILIES[out->family].tool || !browser);
    uint32_t version = version_of(&found, out->family);
    out->version = (uint16_t)(version < UINT16_MAX ? version : UINT16_MAX);
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

enum agent_verdict risk_agent_compare(const struct sighting *was, const struct sighting *is)
{
    bool os = was->agent_os != is->agent_os && was->agent_os != OS_UNKNOWN && is->agent_os != OS_UNKNOWN;
    bool device = was->agent_class != is->agent_class && was->agent_class != SIGHT_CLASS_UNKNOWN &&
                  is->agent_class != SIGHT_CLASS_UNKNOWN;
    if (was->agent_family != is->agent_family || os || device) {
        return AGENT_ANOTHER;
    }
    if (was->agent_version == 0 || is->agent_version == 0 || was->agent_version == is->agent_version) {
        return AGENT_SAME;
    }
    return is->agent_version > was->agent_version ? AGENT_NEWER : AGENT_OLDER;
}
