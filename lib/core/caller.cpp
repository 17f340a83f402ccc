// SPDX-License-Identifier: Apache-2.0
#include "core/caller.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace cmk {

namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

bool ends_with(std::string_view text, std::string_view suffix) {
    return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

/// A runtime's monitor runs beside its container, on the host.
bool is_monitor(std::string_view name) {
    return starts_with(name, "libpod-conmon-") || starts_with(name, "crio-conmon-");
}

/// "libpod-ID.scope", or "libpod-ID" where the runtime makes its cgroups without systemd.
bool is_container_group(std::string_view name) {
    static constexpr std::array<std::string_view, 3> kRuntimes{"libpod-", "crio-",
                                                               "cri-containerd-"};
    if (name.find("kubepods") != std::string_view::npos) return true;
    if (starts_with(name, "docker-")) return ends_with(name, ".scope");
    if (is_monitor(name) || ends_with(name, ".service")) return false;
    return std::any_of(kRuntimes.begin(), kRuntimes.end(),
                       [&](std::string_view prefix) { return starts_with(name, prefix); });
}

bool is_container_path(const std::vector<std::string_view>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (is_container_group(names[i])) return true;
        // Docker without systemd: /docker/ID
        if (names[i] == "docker" && i + 1 < names.size()) return true;
    }
    return false;
}

bool is_service_path(const std::vector<std::string_view>& names) {
    if (names.empty() || !ends_with(names.back(), ".service")) return false;
    return std::none_of(names.begin(), names.end(),
                        [](std::string_view name) { return starts_with(name, "user@"); });
}

}  // namespace

CallerKind classify_caller(const CallerFacts& facts) {
    std::vector<std::string_view> names = split(facts.cgroup, '/');
    names.erase(std::remove(names.begin(), names.end(), std::string_view{}), names.end());
    if (facts.pid_namespace_depth > 1 || is_container_path(names)) return CallerKind::container;
    if (facts.main_pid_alone && is_service_path(names)) return CallerKind::service;
    return CallerKind::host;
}

}  // namespace cmk
