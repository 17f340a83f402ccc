// SPDX-License-Identifier: Apache-2.0
#include "k8s/node_watch.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_reader.h"

namespace cmk::k8s {

namespace {

constexpr std::chrono::seconds kSilence{180};
constexpr std::chrono::seconds kGrace{30};

}  // namespace

Request watch_request(const std::string& node, std::chrono::seconds timeout) {
    return {.method = "GET",
            .path = "/api/v1/nodes?watch=1&fieldSelector=metadata.name%3D" + node +
                    "&resourceVersion=0&timeoutSeconds=" + std::to_string(timeout.count()) +
                    "&allowWatchBookmarks=true"};
}

std::chrono::seconds longest_silence(std::chrono::seconds timeout, bool bookmarks) {
    return bookmarks ? kSilence : timeout + kGrace;
}

Result<WatchEvent> read_watch_line(std::string_view line) {
    CMK_TRY_ASSIGN(const nlohmann::json event, parse_object(line));
    const std::string type = text_of(event, "type");
    const nlohmann::json& object = member_of(event, "object");
    if (type == "BOOKMARK") return WatchEvent{};
    if (type == "DELETED") return WatchEvent{.kind = WatchEvent::Kind::gone};
    if (type == "ERROR") {
        return make_error(Errc::unavailable,
                          "the watch ended: " + quote(text_of(object, "message")));
    }
    if (type != "ADDED" && type != "MODIFIED") {
        return make_error(Errc::invalid_argument, "the watch brought no event: " + quote(line));
    }
    CMK_TRY_ASSIGN(NodeObject node, read_node(object));
    return WatchEvent{.kind = WatchEvent::Kind::node, .node = std::move(node)};
}

}  // namespace cmk::k8s
