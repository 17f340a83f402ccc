// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "k8s/api.h"
#include "k8s/reports.h"

namespace cmk::k8s {

/// Keeps one report object as it shall be: replaced by PUT with the last resourceVersion, made
/// where it is not there, and made anew when the Node that owns it is another one.
class ReportWriter {
public:
    ReportWriter(Api& api, const ReportKind& kind) : api_(api), kind_(kind) {}

    const ReportKind& kind() const { return kind_; }

    /// Writes the whole object. `now`: RFC 3339, UTC.
    std::optional<Failure> write(const ReportPlace& place, const ReportContent& content,
                                 const std::string& now, const ServerRules& rules);
    /// Only says that it is still true. A failure of status 404 means that it must be written.
    std::optional<Failure> beat(const ReportPlace& place, const std::string& now,
                                const ServerRules& rules);
    /// Deletes it; one that is not there is as good.
    std::optional<Failure> remove(const ReportPlace& place, const ServerRules& rules);

private:
    /// Learns the object's version, "" where there is none.
    std::optional<Failure> look(const ReportPlace& place, const ServerRules& rules);

    Api& api_;
    const ReportKind& kind_;
    std::optional<std::string> version_;
    std::string owner_;  ///< uid of the Node that the object there names
};

/// Deletes a node's reports, under the names that the original gave them, too. Returns what could
/// not be deleted.
std::vector<Failure> remove_reports(Api& api, const std::string& name_space,
                                    const std::string& node, const ServerRules& rules);

}  // namespace cmk::k8s
