// SPDX-License-Identifier: Apache-2.0
#include "base/metrics_text.h"

#include <charconv>

namespace cmk {

namespace {

/// Never in the form 1e+09, which people read worse.
std::string digits(double number) {
    char text[340];  // the largest double has 309 digits
    const auto end =
        std::to_chars(std::begin(text), std::end(text), number, std::chars_format::fixed);
    return {std::begin(text), end.ptr};
}

void append_escaped(std::string& text, std::string_view value) {
    for (const char c : value) {
        if (c == '\n') {
            text += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') text.push_back('\\');
        text.push_back(c);
    }
}

}  // namespace

void MetricsText::family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_.append("# HELP ").append(name).append(" ").append(help);
    text_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void MetricsText::value(double number, MetricLabels labels) {
    line("", number, labels);
}

void MetricsText::line(std::string_view suffix, double number, MetricLabels labels) {
    text_.append(name_).append(suffix);
    char separator = '{';
    for (const auto& [name, value] : labels) {
        text_.push_back(std::exchange(separator, ','));
        text_.append(name).append("=\"");
        append_escaped(text_, value);
        text_.push_back('"');
    }
    if (labels.size() > 0) text_.push_back('}');
    text_.append(" ").append(digits(number)).append("\n");
}

void MetricsText::histogram(std::string_view name, std::string_view help,
                            const std::vector<DurationBucket>& buckets, double longer,
                            double seconds) {
    family(name, "histogram", help);
    double all = 0;
    for (const DurationBucket& bucket : buckets)
        line("_bucket", all += bucket.count, {{"le", digits(bucket.seconds)}});
    line("_bucket", all += longer, {{"le", "+Inf"}});
    line("_sum", seconds, {});
    line("_count", all, {});
}

}  // namespace cmk
