// SPDX-License-Identifier: Apache-2.0
// Any two texts, parted by a newline, as user agents: the same text is always the same agent, all numbers
// have names, and what became of one is the opposite the other way round.
#include "risk/risk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct sighting read(struct str text)
{
    struct risk_agent is, again;
    memset(&is, 0x5a, sizeof is);
    memset(&again, 0xa5, sizeof again);
    risk_agent_read(text, &is);
    risk_agent_read(text, &again);
    invariant(is.family == again.family && is.os == again.os && is.version == again.version);
    invariant(is.device == again.device && is.tool == again.tool);
    invariant(is.family <= UINT8_MAX && is.os < 32 && is.device < SIGHT_CLASS_COUNT);
    invariant(risk_agent_family(is.family).len > 0 && risk_agent_os(is.os).len > 0);
    invariant((is.device == SIGHT_CLASS_TOOL) == is.tool);
    return (struct sighting){.agent_family = is.family,
                             .agent_os = is.os,
                             .agent_version = is.version,
                             .agent_class = is.device,
                             .flags = SIGHT_HAS_AGENT};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const enum agent_verdict BACK[] = {
        [AGENT_SAME] = AGENT_SAME,
        [AGENT_NEWER] = AGENT_OLDER,
        [AGENT_OLDER] = AGENT_NEWER,
        [AGENT_ANOTHER] = AGENT_ANOTHER,
    };
    struct str text = {(const char *)bytes, len};
    size_t end = str_find_byte(text, '\n', 0);
    struct sighting first = read(str_sub(text, 0, end)), then = read(str_sub(text, end + 1, len));
    invariant(risk_agent_compare(&first, &first) == AGENT_SAME);
    invariant(risk_agent_compare(&then, &first) == BACK[risk_agent_compare(&first, &then)]);
    return 0;
}
