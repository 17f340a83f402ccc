// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/mutations.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "k8s/yaml.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr char kProcVariable[] = "CMK_PROC_FS";

constexpr char kBegin[] = R"(mutations:
  perPod:
    metadata:
      annotations:
        cmk.intel.com/resources-injected: "true"
    spec:
      tolerations:
      - key: cmk
        operator: Exists
        effect: NoSchedule
      volumes:
      - name: cmk-host-proc
        hostPath:
          path: /proc
      - name: cmk-run-dir
        hostPath:
          path: /run/cmk
          type: DirectoryOrCreate
      - name: cmk-config-dir
        hostPath:
          path: )";

constexpr char kInstallVolume[] = R"(
      - name: cmk-install-dir
        hostPath:
          path: )";

constexpr char kContainer[] = R"(
  perContainer:
    env:
    - name: CMK_PROC_FS
      value: /host/proc
    volumeMounts:
    - name: cmk-host-proc
      mountPath: /host/proc
      readOnly: true
    - name: cmk-run-dir
      mountPath: /run/cmk
      readOnly: true
    - name: cmk-config-dir
      mountPath: /etc/cmk
    - name: cmk-install-dir
      mountPath: /opt/bin
      readOnly: true
)";

/// The member where it is a map; an empty one where it is absent or null.
Result<json> map_at(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return json::object();
    if (!found->is_object()) {
        return make_error(Errc::invalid_argument,
                          std::string(key) + ": must be a map, not " + found->type_name());
    }
    return *found;
}

/// A non-empty list of the object, or nullptr.
json* list_at(json& object, const char* key) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(key);
    return found != object.end() && found->is_array() ? &*found : nullptr;
}

std::string text_at(const json& object, const char* key) {
    if (!object.is_object()) return "";
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_proc(const json& volume) {
    if (!volume.is_object() || !volume.contains("hostPath")) return false;
    const std::string path = text_at(volume["hostPath"], "path");
    return path == "/proc" || path == "/proc/";
}

template <typename Condition>
void erase_where(json& list, Condition matches) {
    for (std::size_t i = list.size(); i-- > 0;) {
        if (matches(list[i])) list.erase(i);
    }
}

void drop_proc(json& per_pod, json& per_container) {
    std::vector<std::string> names;
    json& spec = per_pod["spec"];
    if (json* volumes = list_at(spec, "volumes")) {
        for (const json& volume : *volumes) {
            if (is_proc(volume)) names.push_back(text_at(volume, "name"));
        }
        erase_where(*volumes, is_proc);
    }
    if (json* mounts = list_at(per_container, "volumeMounts")) {
        erase_where(*mounts, [&names](const json& mount) {
            return std::find(names.begin(), names.end(), text_at(mount, "name")) != names.end();
        });
    }
    if (json* env = list_at(per_container, "env")) {
        erase_where(*env, [](const json& item) { return text_at(item, "name") == kProcVariable; });
    }
}

std::string take_service_account(json& spec) {
    if (!spec.is_object()) return "";
    const std::string modern = text_at(spec, "serviceAccountName");
    const std::string former = text_at(spec, "serviceAccount");
    spec.erase("serviceAccountName");
    spec.erase("serviceAccount");
    return modern.empty() ? former : modern;
}

/// A member of a type that the API does not take would make the server refuse every mutated pod.
Status check_types(const json& object, const std::vector<std::string>& path, json::value_t type) {
    const json* value = &object;
    std::string name;
    for (const std::string& key : path) {
        const auto found = value->find(key);
        if (found == value->end() || found->is_null()) return {};
        name += (name.empty() ? "" : ".") + key;
        const bool is_last = &key == &path.back();
        if (found->type() != (is_last ? type : json::value_t::object)) {
            return make_error(Errc::invalid_argument,
                              name + ": has the wrong type: " + found->type_name());
        }
        value = &*found;
    }
    return {};
}

Status check_pod_types(const json& per_pod) {
    CMK_TRY(check_types(per_pod, {"metadata", "annotations"}, json::value_t::object));
    CMK_TRY(check_types(per_pod, {"metadata", "labels"}, json::value_t::object));
    for (const char* list : {"containers", "initContainers", "volumes", "tolerations"})
        CMK_TRY(check_types(per_pod, {"spec", list}, json::value_t::array));
    return {};
}

Status check_container_types(const json& per_container) {
    for (const char* list : {"env", "volumeMounts"})
        CMK_TRY(check_types(per_container, {list}, json::value_t::array));
    for (const char* kind : {"requests", "limits"})
        CMK_TRY(check_types(per_container, {"resources", kind}, json::value_t::object));
    return {};
}

/// A container to be added is known again by its name: without, it would be added each time.
Status check_containers(const json& spec) {
    for (const char* list : {"containers", "initContainers"}) {
        const auto found = spec.find(list);
        if (found == spec.end() || !found->is_array()) continue;
        for (const json& container : *found) {
            if (text_at(container, "name").empty()) {
                return make_error(Errc::invalid_argument,
                                  "perPod.spec." + std::string(list) + ": each needs a name");
            }
        }
    }
    return {};
}

MutationSet as_set(const json& per_pod, const json& per_container) {
    return {std::make_shared<const json>(per_pod), std::make_shared<const json>(per_container)};
}

/// The template above quotes nothing, so the path is written as JSON, which is YAML too.
std::string quoted(const std::string& path) {
    return json(path).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

Result<Mutations> Mutations::parse(const std::string& yaml) {
    CMK_TRY_ASSIGN(const json document, parse_yaml(yaml));
    if (!document.is_object() || !document.contains("mutations")) {
        return make_error(Errc::invalid_argument, "mutations: is missing");
    }
    CMK_TRY_ASSIGN(const json root, map_at(document, "mutations"));
    CMK_TRY_ASSIGN(json per_pod, map_at(root, "perPod"));
    CMK_TRY_ASSIGN(json per_container, map_at(root, "perContainer"));
    CMK_TRY_ASSIGN(json spec, map_at(per_pod, "spec"));
    CMK_TRY(check_pod_types(per_pod));
    CMK_TRY(check_container_types(per_container));
    CMK_TRY(check_containers(spec));
    Mutations mutations;
    mutations.service_account_ = take_service_account(spec);
    per_pod["spec"] = std::move(spec);
    mutations.all_ = as_set(per_pod, per_container);
    drop_proc(per_pod, per_container);
    mutations.without_proc_ = as_set(per_pod, per_container);
    return mutations;
}

std::string default_mutations(const NodeDirectories& directories) {
    return kBegin + quoted(directories.conf) + kInstallVolume + quoted(directories.install) +
           kContainer;
}

}  // namespace cmk::k8s
