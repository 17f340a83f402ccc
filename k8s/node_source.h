// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "confdir/content.h"
#include "confdir/reconcile.h"
#include "k8s/agent_state.h"
#include "k8s/reports.h"

namespace cmk::k8s {

/// Where a command that runs once looks for the node's pools.
struct NodePlaces {
    std::string socket = {};            ///< of the agent; "" for the usual ones
    std::string conf_dir = kCompatDir;  ///< the original's directory
    std::string proc_fs = {};           ///< CMK_PROC_FS, for a directory without an agent
    std::string sysfs_root = {};        ///< CMK_DEV_LSCPU_SYSFS; "" for the machine itself
};

/// A node's pools: an agent's or, where there is none, those of the original's directory.
class NodeSource {
public:
    /// An agent that was named, that has a socket in the directory, or at the usual places; only
    /// where no socket is there the directory counts, as for `cmk`. Errors: unavailable, naming
    /// what was looked for; those of reading.
    static Result<NodeSource> find(const NodePlaces& places);

    /// The agent's socket; "" for a directory.
    const std::string& socket() const { return socket_; }
    /// What is published of it. A directory knows no owners, so all its cores count, as the
    /// original counts them.
    Result<AgentState> state() const;
    Result<ReportContent> report() const;
    /// Has the agent reconcile, or does so with the directory. `problems`: what it could not mend.
    Result<ReportContent> reconcile(std::vector<std::string>& problems) const;

private:
    explicit NodeSource(NodePlaces places) : places_(std::move(places)) {}
    bool has_agent() const { return !socket_.empty(); }
    Result<DirectoryContent> read_directory() const;
    Result<ReportContent> reconcile_agent(std::vector<std::string>& problems) const;

    NodePlaces places_;
    std::string socket_;
};

}  // namespace cmk::k8s
