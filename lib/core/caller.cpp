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

/// What runtimes put before a container's id.
constexpr std::array<std::string_view, 5> kPrefixes{"libpod-", "crio-", "cri-containerd-",
                                                    "nerdctl-", "docker-"};

/// A runtime's monitor runs beside its container, on the host.
bool is_monitor(std::string_view name) {
    return starts_with(name, "libpod-conmon-") || starts_with(name, "crio-conmon-");
}

/// "libpod-ID.scope", or "libpod-ID" where the runtime makes its cgroups without systemd.
bool is_container_group(std::string_view name) {
    if (name.find("kubepods") != std::string_view::npos) return true;
    if (starts_with(name, "docker-")) return ends_with(name, ".scope");
    if (is_monitor(name) || ends_with(name, ".service")) return false;
    return std::any_of(kPrefixes.begin(), kPrefixes.end(),
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

std::vector<std::string_view> names_of(std::string_view path) {
    std::vector<std::string_view> names = split(path, '/');
    names.erase(std::remove(names.begin(), names.end(), std::string_view{}), names.end());
    return names;
}

bool is_unit(std::string_view name) {
    return ends_with(name, ".service") || ends_with(name, ".scope");
}

/// "kubepods-besteffort-podUID.slice", where systemd's names have '_' for '-', or "podUID".
std::string pod_of(std::string_view name) {
    const bool slice = starts_with(name, "kubepods") && ends_with(name, ".slice");
    const std::size_t at = slice ? name.find("-pod") : std::string_view::npos;
    std::string uid;
    if (at != std::string_view::npos) {
        uid = name.substr(at + 4, name.size() - at - 4 - 6);
    } else if (starts_with(name, "pod") && name.size() > 3 && !ends_with(name, ".slice")) {
        uid = name.substr(3);
    }
    std::replace(uid.begin(), uid.end(), '_', '-');
    return uid;
}

/// "libpod-ID.scope" -> ID
std::string container_of(std::string_view name) {
    for (const std::string_view prefix : kPrefixes) {
        if (!starts_with(name, prefix)) continue;
        name.remove_prefix(prefix.size());
        if (ends_with(name, ".scope")) name.remove_suffix(6);
        break;
    }
    return std::string(name);
}

bool is_lease_group(std::string_view name) {
    constexpr std::size_t kDigits = 8;
    if (!starts_with(name, kPlacedPrefix)) return false;
    name.remove_prefix(sizeof kPlacedPrefix - 1);
    return name.size() == kDigits &&
           name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// A group of a runtime under a name that also others may use. On a host with systemd nobody else
/// has processes outside of all units, but for who makes groups by hand (cgexec, cset).
bool may_be_runtimes(const std::vector<std::string_view>& names) {
    const auto unit = std::find_if(names.rbegin(), names.rend(), is_unit);
    if (unit == names.rend()) return !names.empty();
    return ends_with(*unit, ".scope") &&
           (starts_with(*unit, "runc-") || starts_with(*unit, "crun-"));
}

bool is_service_path(const std::vector<std::string_view>& names) {
    if (names.empty() || !ends_with(names.back(), ".service")) return false;
    return std::none_of(names.begin(), names.end(),
                        [](std::string_view name) { return starts_with(name, "user@"); });
}

}  // namespace

CallerKind classify_caller(const CallerFacts& facts) {
    const std::vector<std::string_view> names = names_of(facts.cgroup);
    if (facts.pid_namespace_depth > 1 || is_container_path(names)) return CallerKind::container;
    if (facts.confined && may_be_runtimes(names)) return CallerKind::container;
    if (facts.main_pid_alone && is_service_path(names)) return CallerKind::service;
    return CallerKind::host;
}

CallerIdentity identify_caller(std::string_view cgroup, CallerKind kind) {
    CallerIdentity identity;
    std::string container;
    const std::vector<std::string_view> names = names_of(cgroup);
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (is_unit(names[i])) identity.unit = names[i];
        if (kind != CallerKind::container) continue;
        if (i > 0 && identity.pod.empty() && names[0].find("kubepods") != std::string_view::npos) {
            identity.pod = pod_of(names[i]);
        }
        const bool below_docker = i > 0 && names[i - 1] == "docker";
        if (is_container_group(names[i]) || below_docker) container = container_of(names[i]);
    }
    if (kind != CallerKind::container || !identity.pod.empty()) return identity;
    if (container.empty() && !names.empty())
        container = container_group(std::string(cgroup)).substr(1);
    identity.pod = container;
    return identity;
}

std::string container_group(std::string cgroup) {
    for (;;) {
        const std::size_t slash = cgroup.rfind('/');
        if (slash == std::string::npos || slash == 0) return cgroup;
        if (!is_lease_group(std::string_view(cgroup).substr(slash + 1))) return cgroup;
        cgroup.resize(slash);
    }
}

}  // namespace cmk
