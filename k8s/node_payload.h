// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "k8s/agent_state.h"
#include "k8s/api.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// Everything of ours in a Node has this prefix, the taint aside.
inline constexpr char kPrefix[] = "cmk.intel.com/";
inline constexpr char kNodeLabel[] = "cmk.intel.com/cmk-node";
inline constexpr char kTaintKey[] = "cmk";
inline constexpr char kOpaqueResource[] = "pod.alpha.kubernetes.io/opaque-int-resource-cmk";
inline constexpr char kTaintAnnotation[] = "scheduler.alpha.kubernetes.io/taints";

/// What a Node shall say.
struct NodeWish {
    std::map<std::string, std::uint64_t> resources = {};  ///< capacity by resource name
    bool taint = true;                       ///< is the taint ours to write and to take back?
    bool has_pool = true;                    ///< label and taint are for nodes with exclusive pools
    std::vector<std::string> problems = {};  ///< pools that cannot be published, and why

    friend bool operator==(const NodeWish&, const NodeWish&) = default;
};

/// Slots that pods can have of an exclusive pool: all but those of owners that are not pods, and
/// never less than pods hold.
std::uint64_t slots_for_pods(const Topology& topology, const PoolReport& pool,
                             const std::vector<Lease>& leases);

/// "cmk.intel.com/exclusive-cores" for the pool "exclusive", and so on. Errors: invalid_argument
/// for a name that Kubernetes has no place for; servers would take it all the same.
Result<std::string> resource_name(std::string_view pool);

/// Every exclusive pool as a resource, also one without cores; servers below 1.8 have one, for the
/// pool "exclusive".
NodeWish wish_of(const AgentState& state, const ServerRules& rules, bool taint);

/// A Node object as a server has it, less what is no matter here.
struct NodeObject {
    std::string name = {};
    std::string uid = {};
    std::string version = {};  ///< resourceVersion
    std::string text = {};     ///< JSON

    /// False for an older state of the same object, as a watch may still bring after a write was
    /// answered.
    bool may_replace(const NodeObject& other) const;
};
/// Errors: invalid_argument for an object that is no Node.
Result<NodeObject> read_node(const nlohmann::json& node);

/// One write on the Node.
struct NodeWrite {
    enum class Part { capacity, label, taint };
    Part part = Part::capacity;
    std::string patch = {};  ///< a JSON merge patch; the taint's has the resourceVersion read
};

/// What has to be written for a Node object to say what it shall; nothing where it does. Other
/// owners' fields stay as they are, and so do taints of any other key. The taint comes first: its
/// write is refused when the Node has changed since, as the others change it. Errors:
/// invalid_argument for an object that is no Node.
Result<std::vector<NodeWrite>> node_writes(const NodeWish& wish, const nlohmann::json& node,
                                           const ServerRules& rules);

Result<std::vector<NodeWrite>> node_writes(const NodeWish& wish, const NodeObject& node,
                                           const ServerRules& rules);

/// What takes back all that we or the original wrote. Keys are removed, never set to zero: old
/// kubelets fail pods of a resource with none left. The label goes last: what removes us may be
/// selected by it. Errors: as node_writes.
Result<std::vector<NodeWrite>> node_removals(const nlohmann::json& node);
Result<std::vector<NodeWrite>> node_removals(const NodeObject& node);

Request to_request(const std::string& node, const NodeWrite& write);

}  // namespace cmk::k8s
