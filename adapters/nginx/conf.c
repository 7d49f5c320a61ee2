// SPDX-License-Identifier: Apache-2.0
// Directives: what a location is told.
#include "pdp_nginx.h"

#include "common/cookie.h"

#include <stddef.h>

enum {
    DEADLINE_MS = 200,
    DEADLINE_MOST_MS = 3600000,
    IN_FLIGHT = 1024,
    IN_FLIGHT_MOST = 4096,
    RECONNECT_MS = 250,
    PROPERTY_MOST = 128 // bytes of a name
};

#define ANYWHERE \
    (NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_HTTP_LIF_CONF | NGX_HTTP_LMT_CONF)
#define SAY(cf, ...) (ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, __VA_ARGS__), NGX_CONF_ERROR)

// ---- pdp, pdp_fail
// -----------------------------------------------------------------------------------------------

static char *set_on(ngx_conf_t *cf, ngx_command_t *command, void *at)
{
    struct pdp_conf *conf = at;
    conf->on_file = cf->conf_file->file.name;
    conf->on_line = cf->conf_file->line;
    return ngx_conf_set_flag_slot(cf, command, at);
}

// There is no `open`: that nobody answers is what an attacker would bring about.
static char *set_fail(ngx_conf_t *cf, ngx_command_t *command, void *at)
{
    static const struct {
        const char *word;
        ngx_uint_t status;
    } WORDS[] = {
        {"closed", NGX_HTTP_FORBIDDEN}, {"403", NGX_HTTP_FORBIDDEN}, {"503", NGX_HTTP_SERVICE_UNAVAILABLE}};
    struct pdp_conf *conf = at;
    ngx_str_t *value = cf->args->elts;
    (void)command;
    if (conf->fail_status != NGX_CONF_UNSET_UINT) {
        return (char *)(uintptr_t) "is duplicate";
    }
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (ngx_strcmp(value[1].data, WORDS[i].word) == 0) {
            conf->fail_status = WORDS[i].status;
            return NGX_CONF_OK;
        }
    }
    return SAY(cf,
               "invalid value \"%V\" of \"pdp_fail\": it must be \"closed\" (403) or \"503\"; a request that "
               "nobody judged never passes",
               &value[1]);
}

// ---- pdp_connect
// -------------------------------------------------------------------------------------------------

struct connect {
    struct pdp_options options;
    ngx_msec_t deadline_ms;
};

static bool number(ngx_str_t text, ngx_int_t most, ngx_int_t *out)
{
    *out = ngx_atoi(text.data, text.len);
    return *out >= 1 && *out <= most;
}

static bool duration(ngx_str_t text, ngx_int_t most_ms, ngx_int_t *out)
{
    *out = ngx_parse_time(&text, 0);
    return *out >= 1 && *out <= most_ms;
}

static const char *file_of(ngx_conf_t *cf, ngx_str_t text)
{
    return ngx_conf_full_name(cf->cycle, &text, 1) == NGX_OK ? (const char *)text.data : NULL;
}

// One `name=value`; false where it is none of ours.
static bool take_option(ngx_conf_t *cf, struct connect *connect, ngx_str_t name, ngx_str_t value)
{
    ngx_int_t n = 0;
    if (name.len == 8 && ngx_strncmp(name.data, "deadline", 8) == 0) {
        bool good = duration(value, DEADLINE_MOST_MS, &n);
        connect->deadline_ms = (ngx_msec_t)n;
        return good;
    }
    if (name.len == 9 && ngx_strncmp(name.data, "in_flight", 9) == 0) {
        bool good = number(value, IN_FLIGHT_MOST, &n);
        connect->options.in_flight_max = (uint32_t)n;
        return good;
    }
    if (name.len == 9 && ngx_strncmp(name.data, "reconnect", 9) == 0) {
        bool good = duration(value, DEADLINE_MOST_MS, &n);
        connect->options.reconnect_ms = (int32_t)n;
        return good;
    }
    if (name.len == 11 && ngx_strncmp(name.data, "server_name", 11) == 0) {
        connect->options.server_name = (const char *)value.data;
        return value.len > 0;
    }
    const struct {
        const char *name;
        const char **file;
    } FILES[] = {{"ca", &connect->options.ca_file},
                 {"cert", &connect->options.cert_file},
                 {"key", &connect->options.key_file}};
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        if (name.len == strlen(FILES[i].name) && ngx_strncmp(name.data, FILES[i].name, name.len) == 0) {
            *FILES[i].file = value.len > 0 ? file_of(cf, value) : NULL;
            return *FILES[i].file != NULL;
        }
    }
    return false;
}

static const char *why_not(enum pdp_err err)
{
    static const struct {
        enum pdp_err err;
        const char *text;
    } WHYS[] = {
        {PDP_ERR_SYNTAX, "it must be ipc:///PATH, tcp://HOST:PORT or tls+tcp://HOST:PORT"},
        {PDP_ERR_UNSUPPORTED, "it must begin with ipc://, tcp:// or tls+tcp://"},
        {PDP_ERR_UNKNOWN, "host not found"},
        {PDP_ERR_MISSING, "TLS needs \"ca=\", and \"cert=\" together with \"key=\""},
        {PDP_ERR_IO, "a file of \"ca=\", \"cert=\" or \"key=\" cannot be read"},
        {PDP_ERR_MALFORMED,
         "a file of \"ca=\", \"cert=\" or \"key=\" is not PEM, or the key is not the certificate's"},
    };
    for (size_t i = 0; i < COUNT_OF(WHYS); i++) {
        if (WHYS[i].err == err) {
            return WHYS[i].text;
        }
    }
    return pdp_err_text(err);
}

static void on_pool_end(void *data)
{
    link_close(data);
}

static struct pdp_link *link_new(ngx_conf_t *cf)
{
    struct pdp_main_conf *all = ngx_http_conf_get_module_main_conf(cf, ngx_http_pdp_module);
    struct pdp_link *link = ngx_pcalloc(cf->pool, sizeof *link);
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    struct pdp_link **place = ngx_array_push(&all->links);
    if (link == NULL || cleanup == NULL || place == NULL) {
        return NULL;
    }
    cleanup->handler = on_pool_end;
    cleanup->data = link;
    *place = link;
    return link;
}

static char *set_connect(ngx_conf_t *cf, ngx_command_t *command, void *at)
{
    struct pdp_conf *conf = at;
    struct connect connect = {
        .options = {.size = sizeof connect.options, .in_flight_max = IN_FLIGHT, .reconnect_ms = RECONNECT_MS},
        .deadline_ms = DEADLINE_MS};
    ngx_str_t *value = cf->args->elts;
    (void)command;
    if (conf->link != NULL) {
        return (char *)(uintptr_t) "is duplicate";
    }
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        u_char *mark = ngx_strlchr(value[i].data, value[i].data + value[i].len, '=');
        size_t len = mark != NULL ? (size_t)(mark - value[i].data) : 0;
        if (mark == NULL || !take_option(cf, &connect, (ngx_str_t){len, value[i].data},
                                         (ngx_str_t){value[i].len - len - 1, mark + 1})) {
            return SAY(cf, "invalid parameter \"%V\" of \"pdp_connect\"", &value[i]);
        }
    }
    struct pdp_link *link = link_new(cf);
    if (link == NULL || (link->question = ngx_palloc(cf->pool, QUESTION_BYTES)) == NULL) {
        return NGX_CONF_ERROR;
    }
    link->url = value[1];
    link->deadline_ms = (int32_t)connect.deadline_ms;
    enum pdp_err err = pdp_flow_open((const char *)value[1].data, &connect.options, &link->flow);
    if (err != PDP_ERR_OK) {
        return SAY(cf, "cannot connect to \"%V\": %s", &value[1], why_not(err));
    }
    conf->link = link;
    return NGX_CONF_OK;
}

// ---- Who and what
// ------------------------------------------------------------------------------------------------

static char *compile(ngx_conf_t *cf, ngx_str_t *text, ngx_http_complex_value_t *out)
{
    ngx_http_compile_complex_value_t how;
    ngx_memzero(&how, sizeof how);
    how.cf = cf;
    how.value = text;
    how.complex_value = out;
    return ngx_http_compile_complex_value(&how) == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static char *set_subject(ngx_conf_t *cf, ngx_command_t *command, void *at)
{
    struct pdp_conf *conf = at;
    ngx_str_t *value = cf->args->elts;
    (void)command;
    if (conf->subject != NULL) {
        return (char *)(uintptr_t) "is duplicate";
    }
    if (value[1].len == 0 || value[1].len > 255 ||
        ngx_strlchr(value[1].data, value[1].data + value[1].len, '$')) {
        return SAY(cf, "invalid type \"%V\" of \"pdp_subject\": it must be a word, such as \"user\"",
                   &value[1]);
    }
    conf->subject_type = value[1];
    conf->subject = ngx_pcalloc(cf->pool, sizeof *conf->subject);
    return conf->subject != NULL ? compile(cf, &value[2], conf->subject) : NGX_CONF_ERROR;
}

// `$cookie_NAME` tells the cookie that holds the session, unless `pdp_cookie` does.
static char *set_session(ngx_conf_t *cf, ngx_command_t *command, void *at)
{
    static const char VARIABLE[] = "$cookie_";
    struct pdp_conf *conf = at;
    ngx_str_t *value = cf->args->elts;
    size_t head = sizeof VARIABLE - 1;
    if (value[1].len > head && ngx_strncmp(value[1].data, VARIABLE, head) == 0 && conf->cookie.len == 0) {
        struct text name = {(const char *)value[1].data + head, value[1].len - head};
        if (cookie_named(name) && memchr(name.at, '$', name.len) == NULL) {
            conf->cookie = (ngx_str_t){name.len, value[1].data + head};
        }
    }
    return ngx_http_set_complex_value_slot(cf, command, at);
}

static bool is_attribute(ngx_str_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == ';') {
            return false;
        }
    }
    return text.len > 0;
}

static char *set_cookie(ngx_conf_t *cf, ngx_command_t *command, void *at)
{
    struct pdp_conf *conf = at;
    ngx_str_t *value = cf->args->elts;
    (void)command;
    if (!cookie_named(text_of_ngx(value[1]))) {
        return SAY(cf, "invalid name \"%V\" of \"pdp_cookie\"", &value[1]);
    }
    conf->cookie = value[1];
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        bool path = ngx_strncmp(value[i].data, "path=", 5) == 0;
        bool domain = ngx_strncmp(value[i].data, "domain=", 7) == 0;
        size_t head = path ? 5 : 7;
        ngx_str_t rest = {value[i].len - head, value[i].data + head};
        if ((!path && !domain) || !is_attribute(rest)) {
            return SAY(cf, "invalid parameter \"%V\" of \"pdp_cookie\"", &value[i]);
        }
        *(path ? &conf->cookie_path : &conf->cookie_domain) = rest;
    }
    return NGX_CONF_OK;
}

static char *set_property(ngx_conf_t *cf, ngx_command_t *command, void *at)
{
    struct pdp_conf *conf = at;
    ngx_str_t *value = cf->args->elts;
    if (conf->properties == NULL) {
        conf->properties = ngx_array_create(cf->pool, 4, sizeof(struct property));
    }
    if (conf->properties == NULL) {
        return NGX_CONF_ERROR;
    }
    if (conf->properties->nelts == PROPERTIES_MOST) {
        return SAY(cf, "too many properties: at most %d", PROPERTIES_MOST);
    }
    if (value[1].len == 0 || value[1].len > PROPERTY_MOST) {
        return SAY(cf, "invalid name \"%V\" of \"%V\"", &value[1], &command->name);
    }
    struct property *property = ngx_array_push(conf->properties);
    if (property == NULL) {
        return NGX_CONF_ERROR;
    }
    ngx_memzero(property, sizeof *property);
    property->of_subject = ngx_strcmp(command->name.data, "pdp_property") != 0;
    property->name = value[1];
    return compile(cf, &value[2], &property->value);
}

// ---- All of it
// -----------------------------------------------------------------------------------------------------

#define OWN(name, args, set)                                                        \
    {                                                                               \
        ngx_string(name), ANYWHERE | (args), set, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL \
    }
#define VALUE(name, field)                                                            \
    {                                                                                 \
        ngx_string(name), ANYWHERE | NGX_CONF_TAKE1, ngx_http_set_complex_value_slot, \
            NGX_HTTP_LOC_CONF_OFFSET, offsetof(struct pdp_conf, field), NULL          \
    }

ngx_command_t conf_commands[] = {
    {ngx_string("pdp"), ANYWHERE | NGX_CONF_FLAG, set_on, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(struct pdp_conf, on), NULL},
    OWN("pdp_connect", NGX_CONF_1MORE, set_connect),
    OWN("pdp_subject", NGX_CONF_TAKE2, set_subject),
    OWN("pdp_subject_property", NGX_CONF_TAKE2, set_property),
    OWN("pdp_property", NGX_CONF_TAKE2, set_property),
    {ngx_string("pdp_session"), ANYWHERE | NGX_CONF_TAKE1, set_session, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(struct pdp_conf, session), NULL},
    OWN("pdp_cookie", NGX_CONF_TAKE123, set_cookie),
    VALUE("pdp_tenant", tenant),
    VALUE("pdp_auth_time", auth_time),
    VALUE("pdp_acr", acr),
    VALUE("pdp_amr", amr),
    VALUE("pdp_roles", roles),
    VALUE("pdp_device", device),
    VALUE("pdp_ja4", ja4),
    VALUE("pdp_address", address),
    VALUE("pdp_step_up", step_up),
    {ngx_string("pdp_forwarded_for"), ANYWHERE | NGX_CONF_FLAG, ngx_conf_set_flag_slot,
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(struct pdp_conf, forwarded_for), NULL},
    OWN("pdp_fail", NGX_CONF_TAKE1, set_fail),
    ngx_null_command,
};

void *conf_main_create(ngx_conf_t *cf)
{
    struct pdp_main_conf *conf = ngx_pcalloc(cf->pool, sizeof *conf);
    return conf != NULL && ngx_array_init(&conf->links, cf->pool, 2, sizeof(struct pdp_link *)) == NGX_OK
               ? conf
               : NULL;
}

void *conf_create(ngx_conf_t *cf)
{
    struct pdp_conf *conf = ngx_pcalloc(cf->pool, sizeof *conf);
    if (conf != NULL) {
        conf->on = NGX_CONF_UNSET;
        conf->forwarded_for = NGX_CONF_UNSET;
        conf->fail_status = NGX_CONF_UNSET_UINT;
    }
    return conf;
}

static void merge_values(const struct pdp_conf *above, struct pdp_conf *conf)
{
    static const size_t VALUES[] = {
        offsetof(struct pdp_conf, session),   offsetof(struct pdp_conf, tenant),
        offsetof(struct pdp_conf, auth_time), offsetof(struct pdp_conf, acr),
        offsetof(struct pdp_conf, amr),       offsetof(struct pdp_conf, roles),
        offsetof(struct pdp_conf, device),    offsetof(struct pdp_conf, ja4),
        offsetof(struct pdp_conf, address),   offsetof(struct pdp_conf, step_up),
    };
    if (conf->session == NULL && conf->cookie.len == 0) {
        conf->cookie = above->cookie;
        conf->cookie_path = above->cookie_path;
        conf->cookie_domain = above->cookie_domain;
    }
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        ngx_http_complex_value_t **value = (void *)((char *)conf + VALUES[i]);
        ngx_http_complex_value_t *const *from = (const void *)((const char *)above + VALUES[i]);
        *value = *value != NULL ? *value : *from;
    }
}

char *conf_merge(ngx_conf_t *cf, void *parent, void *child)
{
    const struct pdp_conf *above = parent;
    struct pdp_conf *conf = child;
    if (conf->on == NGX_CONF_UNSET) {
        conf->on_file = above->on_file;
        conf->on_line = above->on_line;
    }
    ngx_conf_merge_value(conf->on, above->on, 0);
    ngx_conf_merge_value(conf->forwarded_for, above->forwarded_for, 1);
    ngx_conf_merge_uint_value(conf->fail_status, above->fail_status, NGX_HTTP_FORBIDDEN);
    conf->link = conf->link != NULL ? conf->link : above->link;
    if (conf->subject == NULL) {
        conf->subject = above->subject;
        conf->subject_type = above->subject_type;
    }
    conf->properties = conf->properties != NULL ? conf->properties : above->properties;
    merge_values(above, conf);
    if (conf->on && conf->link == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "\"pdp\" is on, but there is no \"pdp_connect\" in %V:%ui",
                      &conf->on_file, conf->on_line);
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}
