// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "k8s/api.h"
#include "k8s/pace.h"
#include "k8s/report_writer.h"
#include "k8s/reports.h"

namespace cmk::k8s {

/// Asks again what may pass (429, 5xx, no answer), a few times within half a minute, as the server
/// wishes.
class PatientApi : public Api {
public:
    using Sleep = std::function<void(Duration)>;
    PatientApi(Api& api, Random random, Sleep sleep)
        : api_(api), random_(std::move(random)), sleep_(std::move(sleep)) {}

    Result<Answer> send(const Request& request) override;

    void sleep(Duration duration) const { sleep_(duration); }

private:
    static constexpr unsigned kMaxAttempts = 5;

    Api& api_;
    Random random_;
    Sleep sleep_;
};

/// What a command that is repeated published last. The same again is only worth a request when
/// people might take the report for an old one.
class LastReport {
public:
    bool is_fresh(const ReportContent& content, TimePoint now) const {
        return content_ == content && now < when_ + kFresh;
    }
    void published(const ReportContent& content, TimePoint now) {
        content_ = content;
        when_ = now;
    }

private:
    static constexpr std::chrono::minutes kFresh{5};

    std::optional<ReportContent> content_;
    TimePoint when_ = {};
};

/// What the commands that run once have in common.
struct OneShot {
    PatientApi& api;
    std::string node;
    std::string name_space = "default";
    bool taint = true;
    std::string socket;
    std::string conf_dir = kCompatDir;  ///< shown as the directory that the node report describes
    /// Where no agent serves: what cmk prints about the directory, for "node-report" or
    /// "reconcile".
    std::function<Result<std::string>(const char* command)> directory = {};
    /// For what went well but a person should know.
    std::function<void(const std::string&)> note;
};

/// Each does its work or returns what kept it from it: the request, the reason, what to do. What
/// could be done is done all the same.

/// Resources, label and taint of the Node.
Status discover(const OneShot& shot);
/// The same, and both reports.
Status publish_once(const OneShot& shot);
/// Prints the node report and publishes it.
Status publish_node_report(const OneShot& shot, LastReport& last);
/// Has the agent reconcile, prints the report and publishes it.
Status publish_reconcile_report(const OneShot& shot, LastReport& last);
/// Takes all of it back. Done before, or for a Node that is not there, it does nothing.
Status unpublish(const OneShot& shot);

/// Defines a report's type where it is missing and that is allowed, and waits until the server has
/// taken it in. Errors: as refusal().
Status ensure_definition(PatientApi& api, const ReportKind& kind, const ServerRules& rules);

}  // namespace cmk::k8s
