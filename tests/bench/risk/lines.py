# SPDX-License-Identifier: Apache-2.0
"""Steps as the lines that `pdpctl replay --events` reads. Texts here hold nothing that JSON would escape."""
TENANT = '"tenant":"bench"'


def _context(session, context, more=""):
    managed = ',"managed":true}' if context.managed else "}"
    return (f'{{"session":{{"id":"{session}"}}{more},"device":{context.device.part[:-1]}{managed},'
            f'"network":{{"ip":"{context.ip}"}}}}')


def _question(at, number, user, session, context, auth_s, more):
    where = _context(session, context, more).replace('"}', f'","auth_time":{auth_s},"amr":["pwd"]}}', 1)
    return (f'{{"at":{at},"request":{{{TENANT},"request_id":"r{number}","subject":{{"type":"user","id":"{user}"}},'
            f'"action":{{"name":"GET"}},"resource":{{"type":"route","id":"/"}},"context":{where}}}}}')


def question(at, number, user, session, context, auth_s):
    return _question(at, number, user, session, context, auth_s, "")


def probe(at, number, user, session, context):
    """What a login would be answered: it moves nothing, so that one break-in does not spoil the next one's measure."""
    return _question(at, number, user, session, context, at // 1000, ',"purpose":"probe"')


def event(kind, at, number, user, session, context, amr):
    return (f'{{"at":{at},"event":{{"type":"{kind}","subject":{{"type":"user","id":"{user}"}},'
            f'"context":{_context(session, context)},"properties":{{"amr":["{amr}"]}}}},"request_id":"e{number}",{TENANT}}}')


def login(at, number, user, session, context):
    return event("login", at, number, user, session, context, "pwd")


def failed(at, number, user, context):
    """A password that was wrong. There is no session yet."""
    device, where = context.device.part, f'"network":{{"ip":"{context.ip}"}}'
    return (f'{{"at":{at},"event":{{"type":"login_failed","subject":{{"type":"user","id":"{user}"}},'
            f'"context":{{"device":{device},{where}}},"properties":{{"amr":["pwd"]}}}},"request_id":"e{number}",{TENANT}}}')


def proved(at, number, user, session, context):
    return event("step_up_passed", at, number, user, session, context, "hwk")


def script(plan):
    """All lines as they are where nobody is ever asked to prove anything, each with its label: what `--out` writes and
    `pdpctl risk fit` reads. A label: number of the line, whether it is an attack, kind, session, history."""
    number = 0
    for at, step, what, *who in plan.steps:
        number += 1
        if what == "login":
            a = who[0]
            yield probe(at, number, a.user.name, f"l{step}", a.context), ("login", 0, "", f"l{step}", a.history)
            yield login(at, number, a.user.name, f"l{step}", a.context), None
            yield question(at + 1, number, a.user.name, f"l{step}", a.context, at // 1000), None
        elif what == "break-in":
            a = who[0]
            yield probe(at, number, a.user.name, f"l{step}", a.context), ("login", 1, a.attacker, f"l{step}", a.history)
        elif what == "poison":
            a = who[0]
            yield login(at, number, a.user.name, f"l{step}", a.context), None
            yield (question(at + 1, number, a.user.name, f"l{step}", a.context, at // 1000),
                   ("poison", 1, a.attacker, f"l{step}", a.history))
        elif what == "failed":
            yield failed(at, number, *who), None
        elif what == "begin":
            s = who[0]
            yield login(at, number, s.user.name, name_of(s), s.requests[0][1]), None
        else:
            s, n = who
            _, context, thief, behind = s.requests[n]
            yield (question(at - behind, number, s.user.name, name_of(s), context, s.begin // 1000),
                   ("request", int(thief), s.attacker or s.kind, name_of(s), n))


def name_of(session):
    return f"s-{session.user.name}-{session.begin}"
