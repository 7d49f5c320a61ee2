// SPDX-License-Identifier: Apache-2.0
#include "cli/offline/plot.h"

#include "base/fmath.h"

static const double TOP = 10, RIGHT = 14; // margins of every picture

// ---- Text --------------------------------------------------------------------------------------

static const struct {
    uint32_t cp;
    const char *entity;
} ENTITIES[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

static const struct {
    uint32_t from, to;
} HIDDEN[] = {
    {0, 0x1F},        {0x7F, 0x9F},     {0xAD, 0xAD},       {0x61C, 0x61C},
    {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F},   {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE007F},
};

static uint32_t shown(uint32_t cp)
{
    for (size_t i = 0; i < COUNT_OF(HIDDEN); i++) {
        if (cp >= HIDDEN[i].from && cp <= HIDDEN[i].to) {
            return 0xFFFD;
        }
    }
    return cp;
}

static const char *entity_of(uint32_t cp)
{
    for (size_t i = 0; i < COUNT_OF(ENTITIES); i++) {
        if (ENTITIES[i].cp == cp) {
            return ENTITIES[i].entity;
        }
    }
    return NULL;
}

void plot_text(struct buf *out, struct str text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t cp = 0xFFFD;
        char bytes[4];
        (void)str_next_cp(text, &at, &cp);
        const char *entity = entity_of(cp);
        if (entity != NULL) {
            buf_str(out, str_of(entity));
        } else {
            buf_put(out, bytes, str_put_cp(shown(cp), bytes));
        }
    }
}

// ---- Places ------------------------------------------------------------------------------------

static double x_at(const struct plot *plot, double x)
{
    double part = (x - plot->x_least) / (plot->x_most - plot->x_least);
    return plot->left + part * (plot->width - plot->left - RIGHT);
}

static double y_at(const struct plot *plot, double y)
{
    double held = y > plot->y_least ? y < plot->y_most ? y : plot->y_most : plot->y_least;
    double part = plot->log_y ? fmath_log(held / plot->y_least) / fmath_log(plot->y_most / plot->y_least)
                              : (held - plot->y_least) / (plot->y_most - plot->y_least);
    return TOP + (1 - part) * (plot->height - plot->bottom - TOP);
}

static double floor_at(const struct plot *plot)
{
    return plot->height - plot->bottom;
}

// ---- Pictures ----------------------------------------------------------------------------------

void plot_begin(const struct plot *plot, const char *title, struct str description)
{
    buf_printf(plot->out,
               "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%s-title %s-desc\" "
               "xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"%s-title\">",
               plot->width, plot->height, plot->id, plot->id, plot->id);
    plot_text(plot->out, str_of(title));
    buf_printf(plot->out, "</title>\n<desc id=\"%s-desc\">", plot->id);
    plot_text(plot->out, description);
    buf_printf(plot->out, "</desc>\n");
}

void plot_x_mark(const struct plot *plot, double x, const char *text)
{
    double at = x_at(plot, x);
    buf_printf(plot->out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", at, TOP,
               at, floor_at(plot));
    buf_printf(plot->out, "<text class=\"mark\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">", at,
               floor_at(plot) + 15);
    plot_text(plot->out, str_of(text));
    buf_printf(plot->out, "</text>\n");
}

void plot_y_mark(const struct plot *plot, double y, const char *text)
{
    double at = y_at(plot, y);
    buf_printf(plot->out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
               plot->left, at, plot->width - RIGHT, at);
    buf_printf(plot->out, "<text class=\"mark\" text-anchor=\"end\" x=\"%.1f\" y=\"%.1f\">", plot->left - 6,
               at + 4);
    plot_text(plot->out, str_of(text));
    buf_printf(plot->out, "</text>\n");
}

void plot_names(const struct plot *plot, const char *x, const char *y)
{
    double middle = (TOP + floor_at(plot)) / 2;
    buf_printf(plot->out, "<text class=\"name\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">",
               (plot->left + plot->width - RIGHT) / 2, plot->height - 4);
    plot_text(plot->out, str_of(x));
    buf_printf(plot->out,
               "</text>\n<text class=\"name\" text-anchor=\"middle\" transform=\"translate(12 %.1f) "
               "rotate(-90)\">",
               middle);
    plot_text(plot->out, str_of(y));
    buf_printf(plot->out, "</text>\n");
}

static void put_pointed(const struct plot *plot, const char *text)
{
    buf_printf(plot->out, "<title>");
    plot_text(plot->out, str_of(text));
    buf_printf(plot->out, "</title>");
}

void plot_bar(const struct plot *plot, double x, double to, double y, const char *class, const char *text)
{
    double left = x_at(plot, x), top = y_at(plot, y);
    buf_printf(plot->out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">", class,
               left, top, x_at(plot, to) - left, floor_at(plot) - top);
    put_pointed(plot, text);
    buf_printf(plot->out, "</rect>\n");
}

void plot_line(const struct plot *plot, const double *x, const double *y, size_t count, const char *class)
{
    buf_printf(plot->out, "<polyline class=\"%s\" points=\"", class);
    for (size_t i = 0; i < count; i++) {
        buf_printf(plot->out, "%s%.1f,%.1f", i > 0 ? " " : "", x_at(plot, x[i]), y_at(plot, y[i]));
    }
    buf_printf(plot->out, "\"/>\n");
}

void plot_dot(const struct plot *plot, double x, double y, double radius, const char *class, const char *text)
{
    buf_printf(plot->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\">", class, x_at(plot, x),
               y_at(plot, y), radius);
    put_pointed(plot, text);
    buf_printf(plot->out, "</circle>\n");
}

void plot_end(const struct plot *plot)
{
    buf_printf(plot->out, "</svg>\n");
}
