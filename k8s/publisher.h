// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "k8s/agent_state.h"
#include "k8s/api.h"
#include "k8s/node_events.h"
#include "k8s/node_writer.h"
#include "k8s/pace.h"
#include "k8s/report_writer.h"
#include "k8s/server_version.h"
#include "k8s/wall_time.h"

namespace cmk::k8s {

/// What the publisher is told once.
struct PublisherSettings {
    std::string node = {};
    std::string name_space = "default";
    bool taint = true;
};

/// What it has to do with.
struct PublisherPorts {
    Api& api;
    std::function<Result<AgentState>()> read_agent;
    Random random;
    /// Gets what has changed for the worse or the better, a sentence each.
    std::function<void(const std::string&)> log;
};

/// How it stands, for metrics and for who asks.
struct PublisherStatus {
    std::map<std::string, std::string> problems = {};  ///< by what they are about
    std::optional<TimePoint> node_published = {};  ///< when the Node was last found or made true
    std::optional<TimePoint> report_published = {};
    unsigned repairs = 0;  ///< writes that undid what somebody else had written
    unsigned writes = 0;   ///< of the Node
    bool agent_known = false;
};

/// Keeps a Node and its reports as the agent says. It decides and writes; others tell it what
/// happened, and call step() then and when it says. Time comes in, so that tests make it.
class Publisher {
public:
    Publisher(PublisherSettings settings, PublisherPorts ports);

    /// The agent has changed, or is there (again).
    void agent_changed();
    /// The agent has refused a lease; `why` is what the caller was told.
    void lease_refused(const std::string& why);
    /// A state of the Node, as a watch brings it.
    void see_node(NodeObject node);
    /// The Node was deleted; it may come again under another uid.
    void node_gone() { node_.reset(); }
    /// The watch ended; `what`: why, where that was not as it should, else "".
    void watch_ended(const std::string& what);
    /// Knows what the server is like, when it has answered.
    const std::optional<ServerRules>& rules() const { return rules_; }

    /// Does what is due and returns when there may be more to do. `wall` is for people to read.
    TimePoint step(TimePoint now, WallTime wall);

    const PublisherStatus& status() const { return status_; }
    const std::optional<AgentState>& agent() const { return agent_; }

private:
    /// One report with what has been written of it.
    struct Report {
        ReportWriter writer;
        std::optional<ReportContent> wanted = {};
        std::optional<ReportContent> written = {};
        std::string written_for = {};  ///< uid of the Node
        Pace pace;
        Backoff backoff;
        TimePoint not_before = {};
    };

    void learn_rules(TimePoint now);
    void learn_agent(TimePoint now);
    void learn_node(TimePoint now);
    void publish_node(TimePoint now);
    void publish_report(Report& report, TimePoint now, WallTime wall);
    void beat(TimePoint now, WallTime wall);
    void remember(NodeEvent event);
    void tell_events(TimePoint now, WallTime wall);
    ReportPlace place() const;
    void next_at(TimePoint when) { next_ = next_ < when ? next_ : when; }
    void problem(const std::string& about, const std::string& what);
    void solved(const std::string& about);

    PublisherSettings settings_;
    PublisherPorts ports_;
    PublisherStatus status_;

    std::optional<ServerRules> rules_;
    std::optional<AgentState> agent_;
    std::optional<NodeWish> wish_;
    std::optional<NodeObject> node_;
    std::optional<NodeWish> published_;  ///< what the Node last said, as far as we have written it
    bool agent_changed_ = true;
    bool taint_refused_ = false;
    bool rules_may_differ_ = false;  ///< a watch broke off: the server may have been upgraded

    Pace agent_pace_;
    Backoff agent_backoff_;
    TimePoint agent_not_before_ = {};
    Pace node_pace_;
    Backoff backoff_;
    TimePoint not_before_ = {};
    Backoff probe_backoff_;
    std::optional<TimePoint> probe_at_;
    std::array<Report, 2> reports_;
    std::optional<TimePoint> beat_at_;
    std::vector<NodeEvent> events_;
    EventQuota event_quota_;
    TimePoint next_ = {};
};

}  // namespace cmk::k8s
