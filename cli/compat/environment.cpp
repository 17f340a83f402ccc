// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/environment.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "core/cpu_set.h"

namespace cmk::compat {

namespace {

Error bad_variable(const std::string& name, const std::string& wanted, const std::string& value) {
    return make_error(Errc::invalid_argument,
                      name + " must be " + wanted + ", not " + quote(value));
}

}  // namespace

std::optional<std::string> process_variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<std::string> Environment::proc_fs() const {
    if (auto value = lookup_("CMK_PROC_FS"); value && !value->empty()) return *std::move(value);
    return make_error(Errc::invalid_argument,
                      "CMK_PROC_FS is not set: cannot get host process information");
}

Result<LogLevel> Environment::log_level() const {
    const auto value = lookup_("CMK_LOG_LEVEL");
    if (!value) return LogLevel::info;
    if (const auto level = log_level_from(*value)) return *level;
    return bad_variable("CMK_LOG_LEVEL", "one of CRITICAL, ERROR, WARNING, INFO, DEBUG", *value);
}

std::string Environment::sysfs_root() const {
    return lookup_("CMK_DEV_LSCPU_SYSFS").value_or("");
}

Result<unsigned> Environment::num_cores() const {
    const auto value = lookup_("CMK_NUM_CORES");
    if (!value) return 1U;
    const auto number = parse_unsigned(trim(*value), kMaxCpus);
    if (number && *number > 0) return static_cast<unsigned>(*number);
    return bad_variable("CMK_NUM_CORES",
                        "a positive integer of at most " + std::to_string(kMaxCpus), *value);
}

Result<std::string> Environment::node_name() const {
    if (auto value = lookup_("NODE_NAME"); value && !value->empty()) return *std::move(value);
    return make_error(Errc::invalid_argument,
                      "NODE_NAME is not set: cannot tell which Kubernetes node this is");
}

std::vector<std::string> changed_environment(const char* const* inherited,
                                             const std::vector<Variable>& changes) {
    std::vector<std::string> entries;
    for (; *inherited != nullptr; ++inherited) {
        const std::string_view entry(*inherited);
        const std::string_view name = entry.substr(0, entry.find('='));
        const bool is_changed = std::any_of(changes.begin(), changes.end(),
                                            [&](const auto& each) { return each.first == name; });
        if (!is_changed) entries.emplace_back(entry);
    }
    for (const auto& [name, value] : changes) {
        if (value) entries.push_back(name + "=" + *value);
    }
    return entries;
}

}  // namespace cmk::compat
