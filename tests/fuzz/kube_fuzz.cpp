// SPDX-License-Identifier: Apache-2.0
// What API servers, kubeconfigs and kubelet say: nothing crashes, and what is written to a Node
// makes it say what it shall.
#include <nlohmann/json.hpp>
#include <string>

#include "fuzz/must.h"
#include "ipc/kubelet.h"
#include "k8s/api.h"
#include "k8s/kube_config.h"
#include "k8s/node_watch.h"
#include "k8s/quantity.h"
#include "k8s/server_version.h"

namespace {

using namespace cmk::k8s;
using cmk::test::must;
using nlohmann::json;

json patched(json node, const std::vector<NodeWrite>& writes) {
    for (const NodeWrite& write : writes)
        node.merge_patch(json::parse(write.patch));
    return node;
}

void check_writes(const NodeObject& seen, const ServerRules& rules) {
    const NodeWish wish{.resources = {{"cmk.intel.com/exclusive-cores", 4}}};
    const auto writes = node_writes(wish, seen, rules);
    if (!writes) return;
    const json after = patched(json::parse(seen.text), *writes);
    const auto again = node_writes(wish, after, rules);
    must(again && again->empty(), "a Node that was written says what it shall");
    const auto removals = node_removals(after);
    if (!removals) return;
    const auto rest = node_removals(patched(after, *removals));
    must(rest && rest->empty(), "what was taken back is gone");
}

void check_answer(const std::string& text) {
    const Answer answer{.status = 403, .body = text};
    const cmk::Error error = refusal({.method = "GET", .path = "/api/v1/nodes/n"}, answer);
    must(!error.message.empty(), "an error says what is wrong");
    for (const char c : error.message)
        must(c != '\n' && c != '\x1b', "an error is one line");
    const auto event = read_watch_line(text);
    if (!event || !event->node) return;
    check_writes(*event->node, {});
    check_writes(*event->node, {.opaque_resource = true, .taint_annotation = true});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(cmk::test::text_of(data, size));
    check_answer(text);
    check_answer(R"({"type":"ADDED","object":)" + text + "}");
    (void)parse_kubeconfig(text, "/d");
    (void)cmk::parse_cpu_manager_state(text);
    (void)parse_server_version(text);
    (void)parse_quantity(text);
    return 0;
}
