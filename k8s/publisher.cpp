// SPDX-License-Identifier: Apache-2.0
#include "k8s/publisher.h"

#include <algorithm>

#include "base/text.h"

namespace cmk::k8s {

namespace {

using std::chrono::seconds;

constexpr seconds kWriteInterval{10};
/// The agent is asked more often: what it says may be for an object that is not to wait.
constexpr seconds kAskInterval{1};
constexpr seconds kHeartbeat{300};
constexpr double kHeartbeatPart = 0.2;
/// What is wrong in a cluster's configuration is mended by people.
constexpr seconds kConfigurationWait{300};
/// So long a watch may take to bring the Node before it is asked for.
constexpr seconds kWatchPatience{10};

constexpr char kAboutServer[] = "server";
constexpr char kAboutAgent[] = "agent";
constexpr char kAboutWatch[] = "watch";
constexpr char kAboutNode[] = "node";
constexpr char kAboutPools[] = "pools";
constexpr char kAboutTaint[] = "taint";
constexpr char kAboutEvents[] = "events";

Duration wait_after(Backoff& backoff, const Failure& failure) {
    const Duration wait = backoff.next(failure.retry_after);
    const bool by_people = failure.status == 403 || failure.status == 404 || failure.status == 422;
    return by_people && backoff.failures() > 3 ? std::max<Duration>(wait, kConfigurationWait)
                                               : wait;
}

}  // namespace

Publisher::Publisher(PublisherSettings settings, PublisherPorts ports)
    : settings_(std::move(settings)),
      ports_(std::move(ports)),
      agent_pace_(kAskInterval),
      agent_backoff_(ports_.random),
      node_pace_(kWriteInterval),
      backoff_(ports_.random),
      probe_backoff_(ports_.random),
      reports_{Report{.writer = ReportWriter(ports_.api, kNodeReport),
                      .pace = Pace(kWriteInterval),
                      .backoff = Backoff(ports_.random)},
               Report{.writer = ReportWriter(ports_.api, kReconcileReport),
                      .pace = Pace(kWriteInterval),
                      .backoff = Backoff(ports_.random)}} {}

void Publisher::problem(const std::string& about, const std::string& what) {
    std::string& known = status_.problems[about];
    if (known == what) return;
    known = what;
    ports_.log(about + ": " + what);
}

void Publisher::solved(const std::string& about) {
    if (status_.problems.erase(about) > 0) ports_.log(about + ": in order again");
}

void Publisher::agent_changed() {
    agent_changed_ = true;
    agent_not_before_ = {};
}

ReportPlace Publisher::place() const {
    return {
        .name_space = settings_.name_space, .node = settings_.node, .uid = node_ ? node_->uid : ""};
}

void Publisher::see_node(NodeObject node) {
    if (node.name != settings_.node) return;  // a server that lies
    solved(kAboutWatch);
    if (!node_ || node.may_replace(*node_)) node_ = std::move(node);
}

void Publisher::watch_ended(const std::string& what) {
    if (what.empty()) {
        solved(kAboutWatch);
    } else {
        problem(kAboutWatch, what);
        rules_may_differ_ = true;
    }
}

void Publisher::lease_refused(const std::string& why) {
    remember({.warning = true, .reason = "CmkLeaseRefused", .action = "Lease", .message = why});
}

/// The latest alone: while no Node is known none is told, and later no more than the quota.
void Publisher::remember(NodeEvent event) {
    if (events_.size() == EventQuota::kMost) events_.erase(events_.begin());
    events_.push_back(std::move(event));
}

void Publisher::learn_rules(TimePoint now) {
    if (rules_ && !rules_may_differ_) return;
    if (now < not_before_) return next_at(not_before_);
    const Request request{.method = "GET", .path = "/version"};
    const auto answer = ports_.api.send(request);
    std::optional<Failure> failure = failure_of(request, answer);
    if (!failure) {
        const auto version = parse_server_version(answer->text("gitVersion"));
        const auto rules = version ? rules_for(*version) : Result<ServerRules>(version.error());
        if (rules) {
            // What is wished is said in the server's terms.
            agent_changed_ = agent_changed_ || (rules_ && rules_ != *rules);
            rules_ = *rules;
            rules_may_differ_ = false;
            backoff_.succeeded();
            return solved(kAboutServer);
        }
        failure = Failure{.error = rules.error(), .status = 422};
    }
    problem(kAboutServer, failure->error.message);
    not_before_ = now + wait_after(backoff_, *failure);
    next_at(not_before_);
}

void Publisher::learn_agent(TimePoint now) {
    if (!agent_changed_ || !rules_) return;
    const TimePoint due = std::max(agent_pace_.due(false), agent_not_before_);
    if (now < due) return next_at(due);
    agent_pace_.wrote(now, false);
    auto state = ports_.read_agent();
    if (!state) {
        problem(kAboutAgent, state.error().message);
        agent_not_before_ = now + agent_backoff_.next({});
        return next_at(agent_not_before_);
    }
    agent_changed_ = false;
    agent_backoff_.succeeded();
    solved(kAboutAgent);
    status_.agent_known = true;
    for (NodeEvent& event : agent_ ? events_between(*agent_, *state) : std::vector<NodeEvent>{}) {
        remember(std::move(event));
    }
    agent_ = *std::move(state);
    wish_ = wish_of(*agent_, *rules_, settings_.taint && !taint_refused_);
    if (wish_->problems.empty()) {
        solved(kAboutPools);
    } else {
        problem(kAboutPools, join(wish_->problems, "; "));
    }
    reports_[0].wanted = node_report(*agent_);
    reports_[1].wanted = reconcile_report({.leases = static_cast<unsigned>(agent_->leases.size()),
                                           .problems = agent_->host.problems});
}

void Publisher::learn_node(TimePoint now) {
    if (node_ || !rules_) {
        probe_at_.reset();
        return;
    }
    if (!probe_at_) probe_at_ = now + kWatchPatience;
    if (now < *probe_at_) return next_at(*probe_at_);
    NodeAnswer answer = get_node(ports_.api, settings_.node);
    if (answer.node) {
        probe_backoff_.succeeded();
        return see_node(*std::move(answer.node));
    }
    problem(kAboutNode, answer.failure->error.message);
    probe_at_ = now + wait_after(probe_backoff_, *answer.failure);
    next_at(*probe_at_);
}

void Publisher::publish_node(TimePoint now) {
    if (!rules_ || !wish_ || !node_) return;
    const auto plan = [this](const NodeObject& node) { return node_writes(*wish_, node, *rules_); };
    const auto writes = plan(*node_);
    if (writes && writes->empty()) {
        status_.node_published = now;
        published_ = wish_;
        return solved(kAboutNode);
    }
    const bool is_repair = published_ == wish_;
    const TimePoint due = std::max(node_pace_.due(is_repair), not_before_);
    if (now < due) return next_at(due);
    NodeOutcome outcome = write_node(ports_.api, *node_, plan);
    node_pace_.wrote(now, is_repair && outcome.ok());
    ++status_.writes;
    if (outcome.ok()) {
        if (is_repair) ++status_.repairs;
        next_at(now + kWriteInterval);  // does it say now what it should?
        backoff_.succeeded();
        published_ = wish_;
        status_.node_published = now;
        return solved(kAboutNode);
    }
    const Failure& failure = outcome.failures.front();
    if (outcome.taint_refused) {
        taint_refused_ = true;
        wish_->taint = false;
        problem(kAboutTaint, failure.error.message);
        if (outcome.failures.size() == 1) return next_at(now);
    }
    problem(kAboutNode, outcome.failures.back().error.message);
    if (outcome.failures.back().status == 404) node_.reset();
    not_before_ = now + wait_after(backoff_, outcome.failures.back());
    next_at(not_before_);
}

void Publisher::publish_report(Report& report, TimePoint now, WallTime wall) {
    if (!rules_ || !report.wanted || !node_) return;
    if (report.written == report.wanted && report.written_for == node_->uid) return;
    const TimePoint due = std::max(report.pace.due(false), report.not_before);
    if (now < due) return next_at(due);
    report.pace.wrote(now, false);
    const auto failure = report.writer.write(place(), *report.wanted, rfc3339(wall), *rules_);
    const std::string about = report.writer.kind().plural;
    if (!failure) {
        report.backoff.succeeded();
        report.written = report.wanted;
        report.written_for = node_->uid;
        status_.report_published = now;
        return solved(about);
    }
    problem(about, failure->error.message);
    report.not_before = now + wait_after(report.backoff, *failure);
    next_at(report.not_before);
}

void Publisher::beat(TimePoint now, WallTime wall) {
    Report& report = reports_[0];
    if (!rules_ || !report.written || !node_ || rules_->third_party_reports) return;
    if (!beat_at_) beat_at_ = now + spread_around(kHeartbeat, kHeartbeatPart, ports_.random());
    const TimePoint due = std::max(*beat_at_, report.not_before);
    if (now < due) return next_at(due);
    beat_at_ = now + spread_around(kHeartbeat, kHeartbeatPart, ports_.random());
    next_at(*beat_at_);
    const auto failure = report.writer.beat(place(), rfc3339(wall), *rules_);
    if (!failure) {
        status_.report_published = now;
        report.backoff.succeeded();
        return solved(report.writer.kind().plural);
    }
    if (failure->status == 404) {
        report.written.reset();  // somebody deleted it
        return next_at(now);
    }
    problem(report.writer.kind().plural, failure->error.message);
    report.not_before = now + wait_after(report.backoff, *failure);
    beat_at_ = report.not_before;
    next_at(report.not_before);
}

/// Each is tried once: nothing depends on them.
void Publisher::tell_events(TimePoint now, WallTime wall) {
    if (!node_) return;
    for (const NodeEvent& event : std::exchange(events_, {})) {
        if (now < not_before_ || !event_quota_.take(now)) continue;
        const Request request = event_request(settings_.node, node_->uid, event, wall);
        const auto failure = failure_of(request, ports_.api.send(request));
        if (failure) {
            problem(kAboutEvents, failure->error.message);
        } else {
            solved(kAboutEvents);
        }
    }
}

TimePoint Publisher::step(TimePoint now, WallTime wall) {
    next_ = TimePoint::max();
    learn_rules(now);
    learn_agent(now);
    learn_node(now);
    publish_node(now);
    for (Report& report : reports_)
        publish_report(report, now, wall);
    tell_events(now, wall);
    beat(now, wall);
    return next_;
}

}  // namespace cmk::k8s
