// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/pod_wait.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ipc/json_reader.h"
#include "k8s/cluster/labels.h"
#include "k8s/cluster/node_objects.h"

namespace cmk::k8s {

namespace {

using std::chrono::seconds;

/// Of one watch: a connection that died without a word is noticed after it.
constexpr seconds kLongestWatch{60};
constexpr seconds kMargin{10};

/// False for a watch that must begin anew.
bool take_line(std::string_view line, PodTracker& tracker, const Waiting& waiting) {
    const auto event = parse_object(line);
    if (!event) return false;
    const std::string type = text_of(*event, "type");
    if (type == "ERROR") return false;
    const std::string node = tracker.take(type, member_of(*event, "object"));
    if (!node.empty()) waiting.settled(node);
    return true;
}

bool is_lasting(const Answer& answer) {
    return !answer.ok() && !answer.is_passing() && answer.status != 410;
}

}  // namespace

Status wait_for_pods(const Waiting& waiting, const std::string& name_space, seconds patience,
                     PodTracker& tracker) {
    const TimePoint end = waiting.now() + patience;
    while (tracker.left() > 0) {
        const auto rest = std::chrono::ceil<seconds>(end - waiting.now());
        if (rest <= seconds(0)) {
            tracker.give_up("not within " + std::to_string(patience.count()) + " s");
            break;
        }
        const seconds span = std::min(rest, kLongestWatch);
        // Without a version it begins with all pods as they are.
        const Request request{.method = "GET",
                              .path = pods_path(name_space) + "?watch=1&" + our_selector("") +
                                      "&timeoutSeconds=" + std::to_string(span.count())};
        const auto answer = waiting.watch(request, span + kMargin, [&](std::string_view line) {
            return take_line(line, tracker, waiting) && tracker.left() > 0;
        });
        if (answer && is_lasting(*answer)) return refusal(request, *answer);
        if (tracker.left() > 0) waiting.sleep(seconds(1));
    }
    return {};
}

}  // namespace cmk::k8s
