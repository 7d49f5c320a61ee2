// SPDX-License-Identifier: Apache-2.0
// The words by which user agents are read, and what they stand for.
#ifndef RISK_AGENT_WORDS_H
#define RISK_AGENT_WORDS_H

#include "model/sighting.h"

// X(name, words for people, tool). Sessions keep the numbers: new ones go to the end.
#define FAMILY_LIST(X)                             \
    X(UNKNOWN, "an unknown agent", false)          \
    X(CHROME, "chrome", false)                     \
    X(FIREFOX, "firefox", false)                   \
    X(SAFARI, "safari", false)                     \
    X(EDGE, "edge", false)                         \
    X(OPERA, "opera", false)                       \
    X(SAMSUNG, "samsung browser", false)           \
    X(VIVALDI, "vivaldi", false)                   \
    X(YANDEX, "yandex browser", false)             \
    X(DUCKDUCKGO, "duckduckgo", false)             \
    X(UC, "uc browser", false)                     \
    X(EXPLORER, "internet explorer", false)        \
    X(WEBVIEW, "a web view", false)                \
    X(HEADLESS, "a headless browser", true)        \
    X(BOT, "a bot", true)                          \
    X(CURL, "curl", true)                          \
    X(WGET, "wget", true)                          \
    X(HTTPIE, "httpie", true)                      \
    X(PYTHON, "python", true)                      \
    X(BOTO, "boto3", true)                         \
    X(AWS_CLI, "aws-cli", true)                    \
    X(AWS_SDK, "an aws sdk", true)                 \
    X(AWS_SERVICE, "an aws service", true)         \
    X(TERRAFORM, "terraform", true)                \
    X(ATTACK, "an attack tool", true)              \
    X(GO, "go", true)                              \
    X(JAVA, "java", true)                          \
    X(OKHTTP, "okhttp", true)                      \
    X(POSTMAN, "postman", true)                    \
    X(INSOMNIA, "insomnia", true)                  \
    X(NODE, "node", true)                          \
    X(RUBY, "ruby", true)                          \
    X(PERL, "perl", true)                          \
    X(PHP, "php", true)                            \
    X(RUST, "rust", true)                          \
    X(DOTNET, ".net", true)                        \
    X(POWERSHELL, "powershell", true)              \
    X(APPLE, "an apple app", true)                 \
    X(ANDROID_APP, "an android app", true)         \
    X(ANDROID_BROWSER, "android browser", false)   \
    X(GECKO, "another gecko browser", false)       \
    X(HUAWEI, "huawei browser", false)             \
    X(XIAOMI, "mi browser", false)                 \
    X(OPPO, "heytap browser", false)               \
    X(VIVO, "vivo browser", false)                 \
    X(QQ, "qq browser", false)                     \
    X(SILK, "silk", false)                         \
    X(WHALE, "whale", false)                       \
    X(MAXTHON, "maxthon", false)                   \
    X(KONQUEROR, "konqueror", false)               \
    X(OCULUS, "oculus browser", false)             \
    X(BLACKBERRY, "blackberry browser", false)     \
    X(CONSOLE, "a console's browser", false)       \
    X(TV_BROWSER, "a television's browser", false) \
    X(ELECTRON, "an electron app", false)          \
    X(TEXT_BROWSER, "a text browser", true)        \
    X(MAIL, "a mail client", true)                 \
    X(KUBE, "kubernetes", true)                    \
    X(DOCKER, "docker", true)                      \
    X(GCLOUD, "google cloud", true)                \
    X(AZURE, "azure", true)                        \
    X(PULUMI, "pulumi", true)                      \
    X(GIT, "git", true)                            \
    X(STORAGE, "a storage client", true)           \
    X(LOAD, "a load generator", true)              \
    X(BRUNO, "bruno", true)                        \
    X(DART, "dart", true)

enum family {
#define X(name, text, tool) FAMILY_##name,
    FAMILY_LIST(X)
#undef X
    FAMILY_COUNT
};

// X(name, words for people). The same.
#define OS_LIST(X)                    \
    X(UNKNOWN, "an unknown system")   \
    X(WINDOWS, "windows")             \
    X(MACOS, "macos")                 \
    X(LINUX, "linux")                 \
    X(ANDROID, "android")             \
    X(IOS, "ios")                     \
    X(CHROMEOS, "chromeos")           \
    X(BSD, "bsd")                     \
    X(TV, "a television")             \
    X(WINDOWS_PHONE, "windows phone") \
    X(BLACKBERRY, "blackberry")       \
    X(SYMBIAN, "symbian")             \
    X(KAIOS, "kaios")                 \
    X(HARMONY, "harmonyos")           \
    X(CONSOLE, "a console")           \
    X(SOLARIS, "solaris")             \
    X(WATCH, "a watch")               \
    X(OTHER, "another system")

enum os {
#define X(name, text) OS_##name,
    OS_LIST(X)
#undef X
    OS_COUNT
};

_Static_assert(FAMILY_COUNT <= 256 && OS_COUNT <= 32, "records keep a byte and five bits");

// What the number behind a word is: the version of what the word stands for, or something else.
enum number {
    NUMBER_OWN,
    NUMBER_NONE,    // of the protocol
    NUMBER_ENGINE,  // Chrome's, which web views share
    NUMBER_SAID,    // of Safari and of old Opera, whose own words' have other numbers
    NUMBER_TRIDENT, // the true one of an Internet Explorer is four more
    NUMBER_KINDS
};

#define AGENT_WORD_MAX 23 // longer words are none of ours, but may begin or end like one

// Agents name all that they descend from (Edge names Chrome names Safari), so the highest rank of a text
// wins, and of equals the first. A family counts where its word is a product (with a slash, or a number
// behind a space) or the text's first; `motorola edge 30` is none.
struct agent_mark {
    char word[AGENT_WORD_MAX + 1]; // lower case, filled up with zeros
    uint8_t len, rank, family, os_rank, os;
    uint8_t device; // enum sight_class
    uint8_t number; // enum number
    bool anywhere;  // a family also in the middle
};

// Sorted; AGENT_FIRST says where the words of each letter begin, its last is the length.
extern const uint16_t AGENT_FIRST[27];
extern const struct agent_mark AGENT_MARKS[];

// What a longer word begins or ends with. Zero length: no more.
extern const struct agent_mark AGENT_STARTS[], AGENT_ENDS[];

#endif
