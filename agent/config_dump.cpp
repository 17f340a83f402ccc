// SPDX-License-Identifier: Apache-2.0
// The configuration as text.
#include "agent/config.h"

namespace cmk {

namespace {

/// A TOML basic string.
std::string toml_text(std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += {'\\', c};
        } else if (byte < 0x20 || byte == 0x7f) {
            out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
        } else {
            out += c;
        }
    }
    return out + "\"";
}

std::string toml_list(const std::vector<std::string>& items) {
    std::string out;
    for (const std::string& item : items)
        out += (out.empty() ? "" : ", ") + toml_text(item);
    return "[" + out + "]";
}

std::string_view name_of(LogLevel level) {
    switch (level) {
        case LogLevel::error: return "error";
        case LogLevel::warning: return "warning";
        case LogLevel::info: return "info";
        case LogLevel::debug: return "debug";
    }
    return "info";
}

std::string_view name_of(CgroupBackend backend) {
    switch (backend) {
        case CgroupBackend::automatic: return "auto";
        case CgroupBackend::v1: return "v1";
        case CgroupBackend::v2: return "v2";
        case CgroupBackend::affinity: return "affinity";
    }
    return "auto";
}

std::string line(std::string_view key, std::string_view value) {
    return std::string(key) + " = " + std::string(value) + "\n";
}

std::string size_line(const PoolSize& size) {
    if (const auto* cores = std::get_if<unsigned>(&size)) {
        return line("cores", std::to_string(*cores));
    }
    if (const auto* cpus = std::get_if<CpuSet>(&size)) {
        return line("cpus", toml_text(cpus->to_cpulist()));
    }
    return line("cores", toml_text("rest"));
}

std::string prefer_line(const CpuSet& cpus) {
    return cpus.empty() ? "" : line("prefer_cpus", toml_text(cpus.to_cpulist()));
}

std::string pool_table(const PoolSpec& pool) {
    return "[pools." + toml_text(pool.name) + "]\n" + line("kind", toml_text(to_text(pool.kind))) +
           size_line(pool.size) + prefer_line(pool.prefer) +
           line("mode", toml_text(to_text(pool.mode))) +
           line("isolation", toml_text(to_text(pool.isolation))) +
           line("require_grade", toml_text(to_text(pool.require_grade))) +
           line("allow_users", toml_list(pool.access.users)) +
           line("allow_groups", toml_list(pool.access.groups)) +
           line("allow_units", toml_list(pool.access.units)) +
           line("allow_containers", pool.access.containers ? "true" : "false") +
           line("allow_pods", toml_list(pool.access.pods)) +
           line("cores_per_user", std::to_string(pool.access.cores_per_user)) +
           line("cores_per_pod", std::to_string(pool.access.cores_per_pod));
}

std::string compat_table(const std::string& dir) {
    return "[compat]\n" + line("conf_dir", toml_text(dir));
}

}  // namespace

std::string dump_dropin(const std::vector<PoolSpec>& pools, const std::string& compat_dir) {
    std::string text;
    if (!compat_dir.empty()) text = compat_table(compat_dir);
    for (const PoolSpec& pool : pools)
        text += (text.empty() ? "" : "\n") + pool_table(pool);
    return text;
}

std::string dump_config(const Config& config) {
    const Limits& limits = config.limits;
    return "[agent]\n" + line("log_level", toml_text(name_of(config.log_level))) + "\n[cgroup]\n" +
           line("backend", toml_text(name_of(config.backend))) +
           line("name", toml_text(config.cgroup_name)) + "\n" + compat_table(config.compat_dir) +
           "\n[limits]\n" + line("connections", std::to_string(limits.connections)) +
           line("connections_per_caller", std::to_string(limits.connections_per_caller)) +
           line("request_seconds", std::to_string(limits.request_seconds)) +
           line("waiting", std::to_string(limits.waiting)) +
           line("leases", std::to_string(limits.leases)) + "\n" + dump_dropin(config.pools, "");
}

}  // namespace cmk
