// SPDX-License-Identifier: Apache-2.0
// Plots as inline SVG that parses as XML too, and text escaped for it.
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include "base/buf.h"

// Text of anybody, for content and attributes: markup as entities; control characters, what is no UTF-8 and
// what would turn the direction of the text around it as U+FFFD.
void plot_text(struct buf *out, struct str text);

// A plot's frame: data from (x_least, y_least) to (x_most, y_most), left bottom to right top. `log_y`: y is
// shown by its logarithm; what is below y_least stands at the bottom.
struct plot {
    struct buf *out;
    const char *id;                     // of the page, for what the plot is called by
    double width, height, left, bottom; // of the picture; of what axes take of it
    double x_least, x_most, y_least, y_most;
    bool log_y;
};

// Opens the picture with a title and a description, both plain text.
void plot_begin(const struct plot *plot, const char *title, struct str description);
// A mark of an axis with its line across, and the axis' name.
void plot_x_mark(const struct plot *plot, double x, const char *text);
void plot_y_mark(const struct plot *plot, double y, const char *text);
void plot_names(const struct plot *plot, const char *x, const char *y);
// A bar from the bottom to y between two x; `class` names its colour. Its text is told where it is pointed
// at.
void plot_bar(const struct plot *plot, double x, double to, double y, const char *class, const char *text);
// A line through points, `class` its colour.
void plot_line(const struct plot *plot, const double *x, const double *y, size_t count, const char *class);
// A dot with a radius in the picture's units.
void plot_dot(const struct plot *plot, double x, double y, double radius, const char *class,
              const char *text);
void plot_end(const struct plot *plot);

#endif
