// SPDX-License-Identifier: Apache-2.0
#include "k8s/node_payload.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "ipc/json_reader.h"
#include "k8s/quantity.h"

namespace cmk::k8s {

using nlohmann::json;
using Part = NodeWrite::Part;

namespace {

constexpr std::size_t kMaxResourceName = 63;  // of the part after the prefix
constexpr std::string_view kResourceEnd = "-cores";

json our_taint() {
    return {{"key", kTaintKey}, {"value", "true"}, {"effect", "NoSchedule"}};
}

bool is_our_resource(std::string_view key) {
    return key.starts_with(kPrefix) && key.ends_with(kResourceEnd);
}

std::optional<std::uint64_t> quantity_of(const json& capacity, const std::string& key) {
    const auto at = capacity.find(key);
    if (at == capacity.end()) return std::nullopt;
    if (at->is_number_unsigned()) return at->get<std::uint64_t>();
    if (!at->is_string()) return std::nullopt;
    const auto value = parse_quantity(at->get_ref<const std::string&>());
    return value ? std::optional(*value) : std::nullopt;
}

NodeWrite write_of(Part part, const json& patch) {
    return {.part = part, .patch = dump_line(patch)};
}

/// The list of taints, raw. Absent and null are none.
Result<json> taints_of(const json& holder, const char* key) {
    const auto at = holder.find(key);
    if (at == holder.end() || at->is_null()) return json::array();
    if (at->is_array()) return *at;
    return make_error(Errc::invalid_argument, "the Node's taints are no list");
}

/// Below 1.7 the list is text in an annotation.
Result<json> annotated_taints(const json& node) {
    const std::string text =
        text_of(member_of(member_of(node, "metadata"), "annotations"), kTaintAnnotation);
    if (text.empty()) return json::array();
    // Read as a member, since a list alone is no object.
    const auto holder = parse_object("{\"taints\":" + text + "}");
    if (holder) return taints_of(*holder, "taints");
    return make_error(Errc::invalid_argument,
                      std::string("the Node's annotation ") + kTaintAnnotation + " is no list");
}

json others_taints(const json& taints) {
    json others = json::array();
    for (const json& taint : taints) {
        if (text_of(taint, "key") != kTaintKey) others.push_back(taint);
    }
    return others;
}

bool is_our_taint(const json& taint) {
    return text_of(taint, "key") == kTaintKey && text_of(taint, "value") == "true" &&
           text_of(taint, "effect") == "NoSchedule";
}

/// The list as it shall be. What else has our key makes way for our taint, and stays without it.
json wished_taints(const json& taints, bool wanted) {
    json list = json::array();
    if (wanted) {
        list = others_taints(taints);
        list.push_back(our_taint());
    } else {
        std::copy_if(taints.begin(), taints.end(), std::back_inserter(list),
                     [](const json& taint) { return !is_our_taint(taint); });
    }
    return list;
}

/// With the resourceVersion: somebody may add a taint between our reading and writing.
json guarded(const json& node, json patch) {
    const std::string version = text_of(member_of(node, "metadata"), "resourceVersion");
    if (!version.empty()) patch["metadata"]["resourceVersion"] = version;
    return patch;
}

json annotation_patch(const json& taints) {
    json value = taints.empty() ? json() : json(dump_line(taints));
    return {{"metadata", {{"annotations", {{kTaintAnnotation, std::move(value)}}}}}};
}

json taint_patch(const json& taints) {
    return {{"spec", {{"taints", taints.empty() ? json() : taints}}}};
}

json changed_capacity(const NodeWish& wish, const json& capacity, const ServerRules& rules) {
    json changed = json::object();
    for (const auto& [name, value] : wish.resources) {
        if (quantity_of(capacity, name) != value) changed[name] = std::to_string(value);
    }
    if (rules.opaque_resource) return changed;
    for (const auto& [name, value] : capacity.items()) {
        if (is_our_resource(name) && wish.resources.count(name) == 0) changed[name] = nullptr;
    }
    return changed;
}

/// What makes the taint be there, or not.
Status add_taint_write(std::vector<NodeWrite>& writes, bool wanted, const json& node,
                       const ServerRules& rules) {
    CMK_TRY_ASSIGN(const json taints, rules.taint_annotation
                                          ? annotated_taints(node)
                                          : taints_of(member_of(node, "spec"), "taints"));
    if (std::any_of(taints.begin(), taints.end(), is_our_taint) == wanted) return {};
    const json list = wished_taints(taints, wanted);
    writes.push_back(write_of(
        Part::taint,
        guarded(node, rules.taint_annotation ? annotation_patch(list) : taint_patch(list))));
    return {};
}

Status check_node(const json& node) {
    if (text_of(node, "kind") != "Node" || text_of(member_of(node, "metadata"), "name").empty()) {
        return make_error(Errc::invalid_argument, "the server's answer is no Node");
    }
    return {};
}

json removed_resources(const json& list) {
    json removed = json::object();
    for (const auto& [name, value] : list.items()) {
        if (is_our_resource(name) || name == kOpaqueResource) removed[name] = nullptr;
    }
    return removed;
}

}  // namespace

std::uint64_t slots_for_pods(const Topology& topology, const PoolReport& pool,
                             const std::vector<Lease>& leases) {
    std::uint64_t pods = 0;
    std::uint64_t others = 0;
    for (const Lease& lease : leases) {
        if (lease.pool != pool.pool.spec.name) continue;
        (is_pods(lease) ? pods : others) += count_cores(topology, lease.cpus & pool.pool.cpus);
    }
    const std::uint64_t left = pool.cores > others ? pool.cores - others : 0;
    return std::max(left, pods);
}

Result<std::string> resource_name(std::string_view pool) {
    const auto is_end = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    if (!is_safe_name(pool) || !is_end(pool.front()) ||
        pool.size() + kResourceEnd.size() > kMaxResourceName) {
        return make_error(Errc::invalid_argument,
                          "pool " + quote(pool) +
                              " cannot be published: Kubernetes has names that begin with a letter "
                              "or digit and have at most 57 characters before \"-cores\"");
    }
    return kPrefix + std::string(pool) + std::string(kResourceEnd);
}

NodeWish wish_of(const AgentState& state, const ServerRules& rules, bool taint) {
    NodeWish wish{.taint = taint, .has_pool = false};
    for (const PoolReport& pool : state.pools) {
        const PoolSpec& spec = pool.pool.spec;
        if (spec.kind != PoolKind::exclusive) continue;
        if (rules.opaque_resource && spec.name != kExclusivePool) continue;
        wish.has_pool = true;
        const auto name = rules.opaque_resource ? Result<std::string>(std::string(kOpaqueResource))
                                                : resource_name(spec.name);
        if (!name) {
            wish.problems.push_back(name.error().message);
            continue;
        }
        wish.resources[*name] = slots_for_pods(state.host.topology, pool, state.leases);
    }
    return wish;
}

bool NodeObject::may_replace(const NodeObject& other) const {
    if (uid != other.uid) return true;
    const auto mine = parse_unsigned(version);
    const auto others = parse_unsigned(other.version);
    return !mine || !others || *mine >= *others;
}

Result<NodeObject> read_node(const json& node) {
    CMK_TRY(check_node(node));
    const json& metadata = member_of(node, "metadata");
    const json& status = member_of(node, "status");
    json kept{{"kind", "Node"}, {"metadata", metadata}, {"spec", member_of(node, "spec")}};
    kept["metadata"].erase("managedFields");
    kept["status"] = {{"capacity", member_of(status, "capacity")},
                      {"allocatable", member_of(status, "allocatable")}};
    return NodeObject{.name = text_of(metadata, "name"),
                      .uid = text_of(metadata, "uid"),
                      .version = text_of(metadata, "resourceVersion"),
                      .text = dump_line(kept)};
}

Result<std::vector<NodeWrite>> node_writes(const NodeWish& wish, const NodeObject& node,
                                           const ServerRules& rules) {
    return node_writes(wish, json::parse(node.text, nullptr, false), rules);
}

Result<std::vector<NodeWrite>> node_removals(const NodeObject& node) {
    return node_removals(json::parse(node.text, nullptr, false));
}

Result<std::vector<NodeWrite>> node_writes(const NodeWish& wish, const json& node,
                                           const ServerRules& rules) {
    CMK_TRY(check_node(node));
    std::vector<NodeWrite> writes;
    if (wish.taint) CMK_TRY(add_taint_write(writes, wish.has_pool, node, rules));
    const json changed =
        changed_capacity(wish, member_of(member_of(node, "status"), "capacity"), rules);
    if (!changed.empty()) {
        writes.push_back(write_of(Part::capacity, {{"status", {{"capacity", changed}}}}));
    }
    const std::string label = text_of(member_of(member_of(node, "metadata"), "labels"), kNodeLabel);
    if ((label == "true") != wish.has_pool) {
        const json value = wish.has_pool ? json("true") : json();
        writes.push_back(
            write_of(Part::label, {{"metadata", {{"labels", {{kNodeLabel, value}}}}}}));
    }
    return writes;
}

Result<std::vector<NodeWrite>> node_removals(const json& node) {
    CMK_TRY(check_node(node));
    std::vector<NodeWrite> writes;
    CMK_TRY_ASSIGN(const json taints, taints_of(member_of(node, "spec"), "taints"));
    const json others = others_taints(taints);
    if (others.size() != taints.size()) {
        writes.push_back(write_of(Part::taint, guarded(node, taint_patch(others))));
    }
    const auto annotated = annotated_taints(node);
    const json kept = annotated ? others_taints(*annotated) : json::array();
    if (annotated && kept.size() != annotated->size()) {
        writes.push_back(write_of(Part::taint, guarded(node, annotation_patch(kept))));
    }
    json status = json::object();
    for (const char* list : {"capacity", "allocatable"}) {
        json removed = removed_resources(member_of(member_of(node, "status"), list));
        if (!removed.empty()) status[list] = std::move(removed);
    }
    if (!status.empty()) writes.push_back(write_of(Part::capacity, {{"status", status}}));
    if (member_of(member_of(node, "metadata"), "labels").contains(kNodeLabel)) {
        writes.push_back(
            write_of(Part::label, {{"metadata", {{"labels", {{kNodeLabel, nullptr}}}}}}));
    }
    return writes;
}

Request to_request(const std::string& node, const NodeWrite& write) {
    const char* subresource = write.part == Part::capacity ? "/status" : "";
    return {.method = "PATCH",
            .path = "/api/v1/nodes/" + node + subresource + "?fieldManager=cmk-publisher",
            .body = write.patch,
            .content_type = kMergePatch};
}

}  // namespace cmk::k8s
