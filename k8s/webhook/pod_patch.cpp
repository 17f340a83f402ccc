// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/pod_patch.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "k8s/quantity.h"
#include "k8s/webhook/json_merge.h"
#include "k8s/webhook/json_patch.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr std::string_view kDomain = "cmk.intel.com/";
constexpr std::string_view kSuffix = "-cores";
constexpr char kExclusiveCores[] = "cmk.intel.com/exclusive-cores";
constexpr char kNumCores[] = "CMK_NUM_CORES";
constexpr const char* kContainerLists[] = {"initContainers", "containers"};

Error wrong_type(const std::string& key, const char* wanted, const json& value) {
    return make_error(Errc::invalid_argument,
                      key + ": must be " + wanted + ", not " + value.type_name());
}

/// The member, where it is there, not null, and of the type; absent and null members are nullptr.
Result<const json*> member(const json& object, const char* key, json::value_t type) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return nullptr;
    if (found->type() == type) return &*found;
    return wrong_type(key, json(type).type_name(), *found);
}

Result<const json*> object_at(const json& object, const char* key) {
    return member(object, key, json::value_t::object);
}

Result<const json*> list_at(const json& object, const char* key) {
    return member(object, key, json::value_t::array);
}

std::string text_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

struct CoreCount {
    std::string resource;
    json as_written;
    std::uint64_t cores = 0;
};

Result<std::uint64_t> count_of(const json& value) {
    if (value.is_string()) return parse_quantity(value.get_ref<const std::string&>());
    if (value.is_number()) return parse_quantity(value.dump());
    return make_error(Errc::invalid_argument,
                      "must be a quantity, not " + std::string(value.type_name()));
}

/// The core resources of a container's `requests` or `limits`, the original's own first.
Result<std::vector<CoreCount>> core_counts(const json& container, const char* kind) {
    std::vector<CoreCount> counts;
    CMK_TRY_ASSIGN(const json* resources, object_at(container, "resources"));
    if (resources == nullptr) return counts;
    CMK_TRY_ASSIGN(const json* values, object_at(*resources, kind));
    if (values == nullptr) return counts;
    for (const auto& [name, value] : values->items()) {
        if (!is_core_resource(name) || value.is_null()) continue;
        const auto cores = count_of(value);
        if (!cores) return with_context(cores.error(), std::string(kind) + "[" + quote(name) + "]");
        counts.push_back({name, value, *cores});
    }
    std::stable_partition(counts.begin(), counts.end(),
                          [](const CoreCount& count) { return count.resource == kExclusiveCores; });
    return counts;
}

/// What one container asks for.
struct Demand {
    std::vector<CoreCount> requests;
    std::vector<CoreCount> limits;

    bool empty() const { return requests.empty() && limits.empty(); }
};

Result<Demand> demand_of(const json& container) {
    if (!container.is_object()) {
        return make_error(Errc::invalid_argument,
                          "must be object, not " + std::string(container.type_name()));
    }
    Demand demand;
    CMK_TRY_ASSIGN(demand.requests, core_counts(container, "requests"));
    CMK_TRY_ASSIGN(demand.limits, core_counts(container, "limits"));
    return demand;
}

std::string place(const char* list, std::size_t index) {
    return "spec." + std::string(list) + "[" + std::to_string(index) + "]";
}

Result<bool> asks_for_cores(const json& spec) {
    bool asks = false;
    for (const char* list : kContainerLists) {
        CMK_TRY_ASSIGN(const json* containers, list_at(spec, list));
        if (containers == nullptr) continue;
        for (std::size_t i = 0; i < containers->size(); ++i) {
            const auto demand = demand_of((*containers)[i]);
            if (!demand) return with_context(demand.error(), place(list, i));
            asks = asks || !demand->empty();
        }
    }
    return asks;
}

std::string annotation(const json* metadata, const char* name) {
    if (metadata == nullptr) return "";
    const auto found = metadata->find("annotations");
    return found != metadata->end() && found->is_object() ? text_at(*found, name) : "";
}

bool asks_by_annotation(const json* metadata) {
    const std::string value = annotation(metadata, "cmk.intel.com/mutate");
    return value == "true" || value == "True" || value == "1";
}

bool is_mirror(const json* metadata) {
    return metadata != nullptr && metadata->contains("annotations") &&
           (*metadata)["annotations"].is_object() &&
           (*metadata)["annotations"].contains("kubernetes.io/config.mirror");
}

/// The member as a map or list to write to; an absent or null one is made.
json& make_member(json& object, const char* key, const json& empty) {
    json& value = object[key];
    if (value.is_null()) value = empty;
    return value;
}

void add_limits(json& container, const Demand& demand) {
    for (const CoreCount& request : demand.requests) {
        json& limits = make_member(container["resources"], "limits", json::object());
        json& limit = limits[request.resource];
        if (limit.is_null()) limit = request.as_written;
    }
}

Status add_num_cores(json& container, const Demand& demand) {
    if (demand.empty()) return {};
    json& env = make_member(container, "env", json::array());
    if (!env.is_array()) return wrong_type("env", "array", env);
    const bool set = std::any_of(env.begin(), env.end(), [](const json& item) {
        return item.is_object() && text_at(item, "name") == kNumCores;
    });
    if (set) return {};
    const auto& counts = demand.requests.empty() ? demand.limits : demand.requests;
    env.push_back({{"name", kNumCores}, {"value", std::to_string(counts.front().cores)}});
    return {};
}

Status mutate_container(json& container, const json& mutations) {
    CMK_TRY(deep_merge(container, mutations));
    CMK_TRY_ASSIGN(const Demand demand, demand_of(container));
    add_limits(container, demand);
    return add_num_cores(container, demand);
}

Status mutate_containers(json& spec, const json& mutations) {
    for (const char* list : kContainerLists) {
        const auto containers = spec.find(list);
        if (containers == spec.end() || !containers->is_array()) continue;
        for (std::size_t i = 0; i < containers->size(); ++i) {
            const Status status = mutate_container((*containers)[i], mutations);
            if (!status) return with_context(status.error(), place(list, i));
        }
    }
    return {};
}

/// Servers keep the deprecated spelling beside the other, and take either.
void set_service_account(json& spec, const std::string& account) {
    std::string present = text_at(spec, "serviceAccountName");
    if (present.empty()) present = text_at(spec, "serviceAccount");
    if (account.empty() || (!present.empty() && present != "default")) return;
    spec["serviceAccountName"] = account;
    if (spec.contains("serviceAccount")) spec["serviceAccount"] = account;
}

bool shares_host_users(const json& spec) {
    const auto found = spec.find("hostUsers");
    return found == spec.end() || *found != false;
}

Status mutate(json& pod, const Mutations& mutations, bool own_namespace) {
    const MutationSet& set = mutations.for_pod(shares_host_users(pod["spec"]));
    CMK_TRY(deep_merge(pod, *set.per_pod));
    json& spec = pod["spec"];
    if (own_namespace) set_service_account(spec, mutations.service_account());
    return mutate_containers(spec, *set.per_container);
}

}  // namespace

bool is_core_resource(std::string_view name) {
    return name.size() > kDomain.size() + kSuffix.size() && name.starts_with(kDomain) &&
           name.ends_with(kSuffix);
}

Result<json> pod_patch(const json& pod, const Mutations& mutations, bool own_namespace) {
    if (!pod.is_object()) return wrong_type("object", "object", pod);
    CMK_TRY_ASSIGN(const json* metadata, object_at(pod, "metadata"));
    if (is_mirror(metadata)) return json::array();
    CMK_TRY_ASSIGN(const json* spec, object_at(pod, "spec"));
    if (spec == nullptr) return make_error(Errc::invalid_argument, "spec: is missing");
    CMK_TRY_ASSIGN(const bool asks, asks_for_cores(*spec));
    if (!asks && !asks_by_annotation(metadata)) return json::array();
    json mutated = pod;
    CMK_TRY(mutate(mutated, mutations, own_namespace));
    return make_patch(pod, mutated);
}

}  // namespace cmk::k8s
