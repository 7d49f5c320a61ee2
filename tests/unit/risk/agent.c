// SPDX-License-Identifier: Apache-2.0
#include "risk.h"

#define CHROME_WIN                                                                                       \
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 " \
    "Safari/537.36"
#define IPHONE \
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
#define DROID "Mozilla/5.0 (Linux; Android 13; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) "

static const struct {
    const char *text, *family, *os;
    bool tool;
} AGENTS[] = {
    {CHROME_WIN, "chrome", "windows", false},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/118.0.0.0 "
     "Safari/537.36",
     "chrome", "macos", false},
    {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Safari/537.36",
     "chrome", "linux", false},
    {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 "
     "Safari/537.36",
     "chrome", "chromeos", false},
    {DROID "Chrome/112.0.0.0 Mobile Safari/537.36", "chrome", "android", false},
    {IPHONE "CriOS/118.0.5993.69 Mobile/15E148 Safari/604.1", "chrome", "ios", false},
    {"Mozilla/5.0 (X11; Ubuntu; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Ubuntu "
     "Chromium/80.0.3987.87 "
     "Chrome/80.0.3987.87 Safari/537.36",
     "chrome", "linux", false},
    {"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0", "firefox", "linux",
     false},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/118.0", "firefox", "windows",
     false},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:109.0) Gecko/20100101 Firefox/118.0", "firefox",
     "macos", false},
    {"Mozilla/5.0 (Android 13; Mobile; rv:109.0) Gecko/118.0 Firefox/118.0", "firefox", "android", false},
    {IPHONE "FxiOS/118.0 Mobile/15E148 Safari/605.1.15", "firefox", "ios", false},
    {"Mozilla/5.0 (X11; FreeBSD amd64; rv:102.0) Gecko/20100101 Firefox/102.0", "firefox", "bsd", false},
    {IPHONE "Version/17.0 Mobile/15E148 Safari/604.1", "safari", "ios", false},
    {"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 "
     "Mobile/15E148 Safari/604.1",
     "safari", "ios", false},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 "
     "Safari/605.1.15",
     "safari", "macos", false},
    {CHROME_WIN " Edg/118.0.2088.46", "edge", "windows", false},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0.3282.140 "
     "Safari/537.36 Edge/18.17763",
     "edge", "windows", false},
    {DROID "Chrome/118.0.0.0 Mobile Safari/537.36 EdgA/117.0.2045.53", "edge", "android", false},
    {IPHONE "Version/16.0 EdgiOS/117.0.2045.65 Mobile/15E148 Safari/604.1", "edge", "ios", false},
    {CHROME_WIN " OPR/104.0.0.0", "opera", "windows", false},
    {DROID "Chrome/118.0.0.0 Mobile Safari/537.36 OPR/76.2.4027.73374", "opera", "android", false},
    {"Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18", "opera", "windows", false},
    {DROID "SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36", "samsung browser", "android", false},
    {CHROME_WIN " Vivaldi/6.2.3105.58", "vivaldi", "windows", false},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/116.0.5845.962 "
     "YaBrowser/23.9.1.962 Yowser/2.5 Safari/537.36",
     "yandex browser", "windows", false},
    {"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "internet explorer", "windows",
     false},
    {"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)", "internet explorer", "windows",
     false},
    {IPHONE "Version/16.4 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15", "duckduckgo", "ios", false},
    {IPHONE "Mobile/15E148 [FBAN/FBIOS;FBAV/434.0.0.46.114]", "a web view", "ios", false},
    {"Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/7.0 TV "
     "Safari/537.36",
     "safari", "a television", false},
    {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/118.0.0.0 "
     "Safari/537.36",
     "a headless browser", "linux", true},
    {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "a bot", "an unknown system",
     true},
    {"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
     "+http://www.bing.com/bingbot.htm) "
     "Chrome/103.0.5060.134 Safari/537.36",
     "a bot", "an unknown system", true},
    {"Baiduspider+(+http://www.baidu.com/search/spider.htm)", "a bot", "an unknown system", true},
    {"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "a bot",
     "an unknown system", true},
    {"curl/7.88.1", "curl", "an unknown system", true},
    {"Wget/1.21.3 (linux-gnu)", "wget", "an unknown system", true},
    {"HTTPie/3.2.1", "httpie", "an unknown system", true},
    {"python-requests/2.31.0", "python", "an unknown system", true},
    {"Python-urllib/3.11", "python", "an unknown system", true},
    {"Python/3.10 aiohttp/3.8.5", "python", "an unknown system", true},
    {"[Boto3/1.26.165 Python/3.10.6 Linux/5.19.0-46-generic Botocore/1.29.165]", "boto3", "linux", true},
    {"Boto3/1.26.165 Python/3.10.6 Linux/5.19.0-46-generic Botocore/1.29.165", "boto3", "linux", true},
    {"aws-cli/2.13.25 Python/3.11.5 Windows/10 exe/AMD64 prompt/off command/s3.ls", "aws-cli", "windows",
     true},
    {"aws-cli/1.22.34 Python/3.10.6 Linux/5.19.0-46-generic botocore/1.23.34", "aws-cli", "linux", true},
    {"aws-sdk-go/1.41.4 (go1.18.3; linux; amd64) amazon-ssm-agent/", "an aws sdk", "linux", true},
    {"[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10.184-153.731.amzn2int.x86_64 "
     "OpenJDK_64-Bit_Server_VM/25.372-b08 java/1.8.0_372 vendor/Oracle_Corporation cfg/retry-mode/standard]",
     "an aws sdk", "linux", true},
    {"AWS Internal", "an aws service", "an unknown system", true},
    {"secretsmanager.amazonaws.com", "an aws service", "an unknown system", true},
    {"a-very-long-service-name-of-theirs.amazonaws.com", "an aws service", "an unknown system", true},
    {"APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) terraform-provider-aws/3.76.1 "
     "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go/1.44.157 (go1.19.3; linux; amd64) "
     "HashiCorp-terraform-exec/0.17.3",
     "terraform", "linux", true},
    {"APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) aws-sdk-go-v2/1.18.0 os/linux "
     "lang/go/1.19.8 md/GOOS/linux md/GOARCH/amd64 api/iam/1.19.12",
     "terraform", "linux", true},
    {"stratus-red-team_39f95f43-cd2f-4beb-b69e-be60b6fe1f57", "an attack tool", "an unknown system", true},
    {"sqlmap/1.7.2#stable (https://sqlmap.org)", "an attack tool", "an unknown system", true},
    {"Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:Port Check)", "an attack tool", "an unknown system",
     true},
    {"Go-http-client/2.0", "go", "an unknown system", true},
    {"Java/17.0.8", "java", "an unknown system", true},
    {"Apache-HttpClient/4.5.13 (Java/11.0.20)", "java", "an unknown system", true},
    {"okhttp/4.11.0", "okhttp", "an unknown system", true},
    {"PostmanRuntime/7.33.0", "postman", "an unknown system", true},
    {"insomnia/2023.5.8", "insomnia", "an unknown system", true},
    {"axios/1.5.1", "node", "an unknown system", true},
    {"node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "node", "an unknown system", true},
    {"libwww-perl/6.68", "perl", "an unknown system", true},
    {"GuzzleHttp/7", "php", "an unknown system", true},
    {"Mozilla/5.0 (Windows NT; Windows NT 10.0; de-DE) WindowsPowerShell/5.1.19041.3570", "powershell",
     "windows", true},
    {"Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A)", "an android app", "android", true},
    {"MyBank/3.2 CFNetwork/1410.0.3 Darwin/22.6.0", "an apple app", "macos", true},
    {"something of its own/1.0", "an unknown agent", "an unknown system", true},
    {"Mozilla/5.0", "an unknown agent", "an unknown system", false},
    {"", "an unknown agent", "an unknown system", false},
};

Test(risk_agent, reads_families_systems_and_tools)
{
    for (size_t i = 0; i < COUNT_OF(AGENTS); i++) {
        struct risk_agent is;
        memset(&is, 0xff, sizeof is);
        risk_agent_read(str_of(AGENTS[i].text), &is);
        struct str name = risk_agent_family(is.family), system = risk_agent_os(is.os);
        cr_expect(str_eq(name, str_of(AGENTS[i].family)), "%s: family " STR_FMT, AGENTS[i].text,
                  STR_ARG(name));
        cr_expect(str_eq(system, str_of(AGENTS[i].os)), "%s: system " STR_FMT, AGENTS[i].text,
                  STR_ARG(system));
        cr_expect_eq(is.tool, AGENTS[i].tool, "%s: tool %d", AGENTS[i].text, is.tool);
    }
}

// Each word of the table alone: all are found by their first letter.
Test(risk_agent, knows_every_word_of_its_table)
{
    static const char *const WORDS[] = {"ahc",
                                        "aiohttp",
                                        "apache-httpclient",
                                        "aws",
                                        "aws-cli",
                                        "aws-internal",
                                        "aws-sdk-cpp",
                                        "aws-sdk-go",
                                        "aws-sdk-go-v2",
                                        "aws-sdk-java",
                                        "aws-sdk-js",
                                        "aws-sdk-nodejs",
                                        "aws-sdk-php",
                                        "aws-sdk-ruby3",
                                        "aws-sdk-rust",
                                        "axios",
                                        "boto3",
                                        "botocore",
                                        "bun",
                                        "cfnetwork",
                                        "chrome",
                                        "chromium",
                                        "crios",
                                        "curl",
                                        "dalvik",
                                        "ddg",
                                        "deno",
                                        "dirbuster",
                                        "duckduckgo",
                                        "edg",
                                        "edga",
                                        "edge",
                                        "edgios",
                                        "facebookexternalhit",
                                        "fbav",
                                        "ffuf",
                                        "firefox",
                                        "focus",
                                        "fxios",
                                        "go-http-client",
                                        "go-resty",
                                        "gobuster",
                                        "got",
                                        "gsa",
                                        "guzzlehttp",
                                        "hashicorp",
                                        "headlesschrome",
                                        "httpie",
                                        "hydra",
                                        "insomnia",
                                        "instagram",
                                        "jakarta",
                                        "java",
                                        "java-http-client",
                                        "libwww-perl",
                                        "lwp",
                                        "masscan",
                                        "msie",
                                        "nikto",
                                        "nmap",
                                        "node",
                                        "node-fetch",
                                        "nuclei",
                                        "okhttp",
                                        "opera",
                                        "opios",
                                        "opr",
                                        "opt",
                                        "perl",
                                        "phantomjs",
                                        "php",
                                        "postmanruntime",
                                        "powershell",
                                        "puppeteer",
                                        "python",
                                        "python-httpx",
                                        "python-requests",
                                        "python-urllib",
                                        "reqwest",
                                        "restsharp",
                                        "ruby",
                                        "safari",
                                        "samsungbrowser",
                                        "scrapy",
                                        "selenium",
                                        "slurp",
                                        "sqlmap",
                                        "stratus-red-team",
                                        "terraform",
                                        "trident",
                                        "typhoeus",
                                        "ucbrowser",
                                        "undici",
                                        "urllib3",
                                        "vivaldi",
                                        "wget",
                                        "windowspowershell",
                                        "winhttp",
                                        "wpscan",
                                        "yabrowser",
                                        "zgrab"};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        struct risk_agent is;
        risk_agent_read(str_of(WORDS[i]), &is);
        cr_expect(is.family != 0, "%s", WORDS[i]);
    }
    static const char *const SYSTEMS[] = {"Android", "BSD",     "CrOS",     "darwin", "FreeBSD", "iOS",
                                          "iPad",    "iPhone",  "iPod",     "Linux",  "Mac",     "Macintosh",
                                          "macOS",   "OpenBSD", "SMART-TV", "Tizen",  "Ubuntu",  "Web0S",
                                          "Win32",   "Win64",   "WINDOWS"};
    for (size_t i = 0; i < COUNT_OF(SYSTEMS); i++) {
        struct risk_agent is;
        risk_agent_read(str_of(SYSTEMS[i]), &is);
        cr_expect(is.os != 0, "%s", SYSTEMS[i]);
    }
}

// A version says nothing of the family, and is read apart.
Test(risk_agent, reads_versions_apart)
{
    struct risk_agent was, is;
    risk_agent_read(STR(CHROME_WIN), &was);
    risk_agent_read(STR("Mozilla/5.0 (Windows NT 11.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                        "Chrome/119.0.6045.105 Safari/537.36"),
                    &is);
    cr_expect_eq(was.family, is.family);
    cr_expect_eq(was.os, is.os);
    cr_expect_eq(was.version, 118);
    cr_expect_eq(is.version, 119);
    cr_expect_eq(is.device, SIGHT_CLASS_DESKTOP);
}

Test(risk_agent, takes_any_bytes)
{
    char bytes[512];
    uint64_t state = 3;
    for (int n = 0; n < 20000; n++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = n % 2 == 0 ? (char)(state >> 56) : "bot-.cChromE/ "[(state >> 40) % 14];
        }
        struct risk_agent is;
        risk_agent_read((struct str){bytes, (size_t)n % sizeof bytes}, &is);
        cr_assert(risk_agent_family(is.family).len > 0 && risk_agent_os(is.os).len > 0);
        cr_assert_lt(is.device, SIGHT_CLASS_COUNT);
    }
    cr_expect(str_eq(risk_agent_family(UINT16_MAX), risk_agent_family(0)));
    cr_expect(str_eq(risk_agent_os(UINT16_MAX), risk_agent_os(0)));
}
