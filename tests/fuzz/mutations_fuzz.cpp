// SPDX-License-Identifier: Apache-2.0
// mutations.yaml and server.yaml: what parses makes patches that apply, and once is enough.
#include <nlohmann/json.hpp>

#include "fuzz/must.h"
#include "k8s/quantity.h"
#include "k8s/webhook/pod_patch.h"
#include "k8s/webhook/server_config.h"

namespace {

using namespace cmk::k8s;
using cmk::test::must;
using nlohmann::json;

constexpr const char* kPods[] = {
    R"({"spec": {"containers": [
        {"name": "a", "resources": {"requests": {"cmk.intel.com/exclusive-cores": "2"}}},
        {"name": "b"}]}})",
    R"({"metadata": {"annotations": {"cmk.intel.com/mutate": "true"}, "labels": null},
        "spec": {"hostUsers": false, "volumes": [{"name": "v"}], "tolerations": [{}],
                 "serviceAccountName": "default", "initContainers": [{"name": "i"}],
                 "containers": [{"name": "a", "env": [{"name": "A"}], "volumeMounts": null}]}})",
};

void check_pod(const json& pod, const Mutations& mutations) {
    const auto patch = pod_patch(pod, mutations, true);
    if (!patch) {
        must(patch.error().code == cmk::Errc::invalid_argument, "they do not fit the pod");
        return;
    }
    const json mutated = pod.patch(*patch);
    const auto again = pod_patch(mutated, mutations, true);
    must(again.has_value(), "the patched pod is a pod");
    must(again->empty(), "the patched pod needs no patch");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(cmk::test::text_of(data, size));
    const auto quantity = parse_quantity(text);
    must(!quantity || *quantity <= INT64_MAX, "a quantity fits the API's type");
    const auto config = parse_server_config(text);
    must(config || config.error().code == cmk::Errc::invalid_argument, "it says what is wrong");
    const auto mutations = Mutations::parse(text);
    if (!mutations) {
        must(mutations.error().code == cmk::Errc::invalid_argument, "it says what is wrong");
        return 0;
    }
    for (const char* pod : kPods)
        check_pod(json::parse(pod), *mutations);
    return 0;
}
