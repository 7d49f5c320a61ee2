// SPDX-License-Identifier: Apache-2.0
#include "daemon/tell/metrics.h"

static void put_number(struct metrics *out, double value)
{
    buf_printf(&out->text, "%.17g\n", value);
}

static void put_label(struct metrics *out, const struct metrics_label *label)
{
    buf_printf(&out->text, "%s=\"", label->name);
    for (size_t i = 0; i < label->value.len; i++) {
        char c = label->value.at[i];
        if (c == '\n') {
            buf_str(&out->text, STR("\\n"));
            continue;
        }
        if (c == '"' || c == '\\') {
            buf_byte(&out->text, '\\');
        }
        buf_byte(&out->text, (unsigned char)c);
    }
    buf_byte(&out->text, '"');
}

void metrics_family(struct metrics *out, const char *name, const char *help, enum metrics_type type)
{
    buf_printf(&out->text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
               type == METRICS_COUNTER ? "counter" : "gauge");
}

void metrics_labelled(struct metrics *out, const char *name, const struct metrics_label *labels, size_t count,
                      double value)
{
    buf_printf(&out->text, "%s{", name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_byte(&out->text, ',');
        }
        put_label(out, &labels[i]);
    }
    buf_str(&out->text, STR("} "));
    put_number(out, value);
}

void metrics_value(struct metrics *out, const char *name, const char *label, struct str of, double value)
{
    const struct metrics_label one = {label, of};
    metrics_labelled(out, name, &one, 1, value);
}

void metrics_counter(struct metrics *out, const char *name, const char *help, uint64_t value)
{
    metrics_family(out, name, help, METRICS_COUNTER);
    buf_printf(&out->text, "%s %llu\n", name, (unsigned long long)value);
}

void metrics_plain(struct metrics *out, const char *name, double value)
{
    buf_printf(&out->text, "%s ", name);
    put_number(out, value);
}

void metrics_gauge(struct metrics *out, const char *name, const char *help, double value)
{
    metrics_family(out, name, help, METRICS_GAUGE);
    metrics_plain(out, name, value);
}

void metrics_histogram(struct metrics *out, const char *name, const char *help, const double *bounds,
                       const uint64_t *counts, size_t bound_count, double sum)
{
    uint64_t so_far = 0;
    buf_printf(&out->text, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
    for (size_t i = 0; i < bound_count; i++) {
        so_far += counts[i];
        buf_printf(&out->text, "%s_bucket{le=\"%g\"} %llu\n", name, bounds[i], (unsigned long long)so_far);
    }
    so_far += counts[bound_count];
    buf_printf(&out->text, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum ", name, (unsigned long long)so_far, name);
    put_number(out, sum);
    buf_printf(&out->text, "%s_count %llu\n", name, (unsigned long long)so_far);
}
