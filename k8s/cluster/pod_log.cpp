// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/pod_log.h"

#include <algorithm>

#include "base/text.h"
#include "k8s/cluster/node_objects.h"

namespace cmk::k8s {

namespace {

constexpr std::size_t kLongestLine = 400;
constexpr char kLines[] = "&tailLines=5&limitBytes=4096";

std::string printable(std::string_view text) {
    std::string line(text.substr(0, kLongestLine));
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
    return line;
}

}  // namespace

std::vector<std::string> last_lines(Api& api, const std::string& name_space,
                                    const NodePod& failed) {
    if (failed.pod.empty() || failed.state.container.empty()) return {};
    const Request request{.method = "GET",
                          .path = pods_path(name_space) + "/" + failed.pod +
                                  "/log?container=" + failed.state.container + kLines +
                                  (failed.state.restarted ? "&previous=true" : "")};
    const auto answer = api.send(request);
    if (const auto failure = failure_of(request, answer))
        return {"(no log: " + failure->error.message + ")"};
    std::vector<std::string> lines;
    for (const std::string_view line : split(answer->body, '\n'))
        if (!trim(line).empty()) lines.push_back(printable(line));
    return lines;
}

}  // namespace cmk::k8s
