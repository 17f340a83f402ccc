// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/summary.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace cmk::k8s {

namespace {

using Row = std::array<std::string, 3>;

Row heads(const Plan& plan) {
    const auto head = [](const std::vector<std::string>& commands) {
        std::string text = commands.empty() ? "-" : join(commands, ",");
        std::transform(text.begin(), text.end(), text.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        });
        return text;
    };
    return {"NODE", head(plan.one_shots), head(plan.daemons)};
}

std::string table(const std::vector<Row>& rows) {
    std::array<std::size_t, 2> widths{};
    for (const Row& row : rows)
        for (std::size_t i = 0; i < widths.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < widths.size(); ++i)
            text += row[i] + std::string(widths[i] - row[i].size() + 3, ' ');
        text += row.back() + "\n";
    }
    return text;
}

std::string failure_text(const std::string& node, const NodeResult& result) {
    std::string text = node + ": ";
    if (!result.pod.empty()) text += result.pod + ": ";
    text += result.reason + "\n";
    for (const std::string& line : result.log)
        text += "    " + line + "\n";
    return text;
}

}  // namespace

std::string summary_of(const Plan& plan, const NodeResults& results) {
    std::vector<Row> rows{heads(plan)};
    std::string failures;
    std::size_t failed = 0;
    for (const auto& [node, result] : results) {
        rows.push_back({node, result.one_shots, result.daemons});
        if (!result.failed()) continue;
        ++failed;
        failures += failure_text(node, result);
    }
    return table(rows) + std::to_string(results.size() - failed) + " of " +
           counted(results.size(), "node", "nodes") +
           (plan.reconfigures ? " reconfigured\n" : " prepared\n") + failures;
}

Status outcome_of(const char* command, const NodeResults& results) {
    const auto failed = std::count_if(results.begin(), results.end(),
                                      [](const auto& each) { return each.second.failed(); });
    if (failed == 0) return {};
    return make_error(Errc::unavailable,
                      "Aborting " + std::string(command) + ": " +
                          counted(static_cast<std::uint64_t>(failed), "node", "nodes") +
                          " failed; mend what the table names and run it again");
}

}  // namespace cmk::k8s
