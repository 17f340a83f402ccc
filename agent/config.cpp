// SPDX-License-Identifier: Apache-2.0
#include "agent/config.h"

#include <toml++/toml.h>
#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace cmk {

namespace {

constexpr std::size_t kMaxText = 1U << 20;
constexpr std::int64_t kMaxLimit = 1'000'000;

std::string place(const std::string& file, const toml::source_region& source) {
    return file + ":" + std::to_string(source.begin.line) + ": ";
}

/// Reads one table's keys; the first thing that is wrong is kept with its place.
class TableReader {
public:
    TableReader(const std::string& file, std::string name, const toml::table& table,
                std::optional<Error>& error)
        : file_(file), name_(std::move(name)), table_(table), error_(error) {}

    void fail(const toml::node& node, const std::string& why) {
        if (!error_) error_ = make_error(Errc::invalid_argument, place(file_, node.source()) + why);
    }

    const toml::node* find(const char* key) {
        known_.emplace_back(key);
        return table_.get(key);
    }

    std::optional<std::string> text(const char* key) {
        const toml::node* node = find(key);
        if (node == nullptr) return std::nullopt;
        auto value = node->value_exact<std::string>();
        if (!value) fail(*node, label(key) + " must be a string");
        return value;
    }

    void flag(const char* key, bool& into) {
        const toml::node* node = find(key);
        if (node == nullptr) return;
        const auto value = node->value_exact<bool>();
        if (!value) return fail(*node, label(key) + " must be true or false");
        into = *value;
    }

    void limit(const char* key, unsigned& into, std::int64_t min = 1) {
        const toml::node* node = find(key);
        if (node == nullptr) return;
        const auto value = node->value_exact<std::int64_t>();
        if (!value || *value < min || *value > kMaxLimit) {
            return fail(*node, label(key) + " must be a whole number from " + std::to_string(min) +
                                   " to " + std::to_string(kMaxLimit));
        }
        into = static_cast<unsigned>(*value);
    }

    void texts(const char* key, std::vector<std::string>& into) {
        const toml::node* node = find(key);
        if (node == nullptr) return;
        const toml::array* list = node->as_array();
        if (list == nullptr) return fail(*node, label(key) + " must be a list of strings");
        into.clear();
        for (const toml::node& entry : *list) {
            const auto value = entry.value_exact<std::string>();
            if (!value) return fail(entry, label(key) + " must be a list of strings");
            into.push_back(*value);
        }
    }

    template <typename Enum, typename Parse>
    void choice(const char* key, Enum& into, Parse parse, const char* allowed) {
        const auto value = text(key);
        if (!value) return;
        const auto parsed = parse(*value);
        if (!parsed) {
            return fail(*table_.get(key),
                        label(key) + " is " + quote(*value) + ", but must be one of " + allowed);
        }
        into = *parsed;
    }

    /// Refuses what was not asked for.
    void finish() {
        for (const auto& [key, node] : table_) {
            const bool known = std::find(known_.begin(), known_.end(), key.str()) != known_.end();
            if (!known) {
                fail(node, label(std::string(key.str()).c_str()) + " is not known; known are " +
                               join(known_, ", "));
            }
        }
    }

    std::string label(const char* key) const { return name_.empty() ? key : name_ + "." + key; }

private:
    const std::string& file_;
    std::string name_;
    const toml::table& table_;
    std::optional<Error>& error_;
    std::vector<std::string> known_;
};

std::optional<LogLevel> log_level_from(std::string_view text) {
    if (text == "error") return LogLevel::error;
    if (text == "warning") return LogLevel::warning;
    if (text == "info") return LogLevel::info;
    if (text == "debug") return LogLevel::debug;
    return std::nullopt;
}

std::optional<CgroupBackend> backend_from(std::string_view text) {
    if (text == "auto") return CgroupBackend::automatic;
    if (text == "v1") return CgroupBackend::v1;
    if (text == "v2") return CgroupBackend::v2;
    if (text == "affinity") return CgroupBackend::affinity;
    return std::nullopt;
}

/// Reads one file into the configuration that the lighter ones gave.
class FileReader {
public:
    FileReader(const ConfigText& text, Unknown unknown, Config& config)
        : file_(text.name), unknown_(unknown), config_(config) {}

    Status read(const toml::table& root) {
        TableReader top(file_, "", root, error_);
        for (const char* name : {"agent", "cgroup", "compat", "limits", "pools"}) {
            const toml::node* node = top.find(name);
            if (node == nullptr) continue;
            const toml::table* table = node->as_table();
            if (table == nullptr) {
                top.fail(*node, std::string(name) + " must be a table");
            } else {
                read_section(name, *table);
            }
        }
        finish(top);
        if (error_) return *std::move(error_);
        return {};
    }

private:
    void finish(TableReader& reader) const {
        if (unknown_ == Unknown::refused) reader.finish();
    }

    void read_section(std::string_view name, const toml::table& table) {
        if (name == "pools") return read_pools(table);
        TableReader reader(file_, std::string(name), table, error_);
        if (name == "agent") {
            reader.choice("log_level", config_.log_level, log_level_from,
                          "error, warning, info, debug");
        } else if (name == "cgroup") {
            reader.choice("backend", config_.backend, backend_from, "auto, v1, v2, affinity");
            if (const auto value = reader.text("name")) set_group_name(reader, table, *value);
        } else if (name == "compat") {
            if (const auto value = reader.text("conf_dir")) set_compat_dir(reader, table, *value);
        } else {
            reader.limit("connections", config_.limits.connections);
            reader.limit("connections_per_caller", config_.limits.connections_per_caller);
            reader.limit("request_seconds", config_.limits.request_seconds);
            reader.limit("waiting", config_.limits.waiting, 0);
            reader.limit("leases", config_.limits.leases);
        }
        finish(reader);
    }

    void set_group_name(TableReader& reader, const toml::table& table, const std::string& name) {
        if (is_safe_name(name) && name.starts_with("cmk")) {
            config_.cgroup_name = name;
        } else {
            reader.fail(*table.get("name"),
                        "cgroup.name is " + quote(name) +
                            ", but must start with \"cmk\" and be of letters, digits, - . _");
        }
    }

    void set_compat_dir(TableReader& reader, const toml::table& table, const std::string& dir) {
        // With the socket's name it has to fit into a socket address.
        constexpr std::size_t kLongest = 90;
        if (dir.empty() || (dir.front() == '/' && dir.size() <= kLongest)) {
            config_.compat_dir = dir;
        } else {
            reader.fail(*table.get("conf_dir"), "compat.conf_dir is " + quote(dir) +
                                                    ", but must be an absolute path of at most " +
                                                    std::to_string(kLongest) + " bytes, or empty");
        }
    }

    /// toml++ iterates by name; what counts is the position in the file.
    void read_pools(const toml::table& pools) {
        std::vector<std::pair<toml::source_position, std::string>> order;
        for (const auto& [name, node] : pools) {
            order.emplace_back(node.source().begin, std::string(name.str()));
        }
        std::stable_sort(order.begin(), order.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const auto& [position, name] : order)
            read_pool(name, *pools.get(name));
    }

    void read_pool(const std::string& name, const toml::node& node) {
        const toml::table empty;
        const toml::table* table = node.as_table();
        TableReader reader(file_, "pools." + name, table == nullptr ? empty : *table, error_);
        if (table == nullptr) return reader.fail(node, "pools." + name + " must be a table");
        PoolSpec spec{.name = name};
        if (!is_safe_name(name)) {
            reader.fail(node, "pool name " + quote(name) +
                                  " must be of letters, digits, - . _, 64 at most");
        }
        if (table->get("kind") == nullptr) {
            reader.fail(node, reader.label("kind") + " is missing: \"exclusive\" or \"shared\"");
        }
        reader.choice("kind", spec.kind, pool_kind_from, "exclusive, shared");
        read_size(reader, node, spec);
        if (const toml::node* prefer = reader.find("prefer_cpus"))
            read_prefer(reader, *prefer, spec);
        reader.choice("mode", spec.mode, pool_mode_from, "packed, spread");
        reader.choice("isolation", spec.isolation, isolation_from,
                      "auto, partition, cpuset, affinity");
        reader.choice("require_grade", spec.require_grade, grade_from, "A, B, C, D");
        reader.texts("allow_users", spec.access.users);
        reader.texts("allow_groups", spec.access.groups);
        reader.texts("allow_units", spec.access.units);
        reader.texts("allow_pods", spec.access.pods);
        reader.limit("cores_per_user", spec.access.cores_per_user, 0);
        reader.limit("cores_per_pod", spec.access.cores_per_pod, 0);
        reader.flag("allow_containers", spec.access.containers);
        finish(reader);
        put(std::move(spec));
    }

    void read_size(TableReader& reader, const toml::node& pool, PoolSpec& spec) {
        const toml::node* cores = reader.find("cores");
        const toml::node* cpus = reader.find("cpus");
        if ((cores == nullptr) == (cpus == nullptr)) {
            return reader.fail(pool, "pools." + spec.name +
                                         " needs exactly one of cores (a number or \"rest\") and "
                                         "cpus (a cpulist such as \"2-5\")");
        }
        if (cpus != nullptr) return read_cpus(reader, *cpus, spec);
        const auto count = cores->value_exact<std::int64_t>();
        const bool rest = cores->value_exact<std::string>() == "rest";
        if (count && *count >= 0 && *count <= kMaxCpus) {
            spec.size = static_cast<unsigned>(*count);
        } else if (!rest) {
            reader.fail(*cores, reader.label("cores") + " must be a whole number from 0 to " +
                                    std::to_string(kMaxCpus) + ", or \"rest\"");
        } else if (spec.kind == PoolKind::exclusive) {
            reader.fail(*cores, reader.label("cores") + ": only a shared pool can have the rest");
        }
    }

    void read_cpus(TableReader& reader, const toml::node& node, PoolSpec& spec) {
        CpuSet cpus;
        if (read_cpulist(reader, "cpus", node, cpus)) spec.size = std::move(cpus);
    }

    void read_prefer(TableReader& reader, const toml::node& node, PoolSpec& spec) {
        if (!std::holds_alternative<unsigned>(spec.size)) {
            return reader.fail(node, reader.label("prefer_cpus") + " goes with a number of cores");
        }
        (void)read_cpulist(reader, "prefer_cpus", node, spec.prefer);
    }

    bool read_cpulist(TableReader& reader, const char* key, const toml::node& node, CpuSet& into) {
        const auto refuse = [&](const std::string& why) {
            reader.fail(node, reader.label(key) + why);
            return false;
        };
        const auto text = node.value_exact<std::string>();
        if (!text) return refuse(" must be a string: \"2-5,18\"");
        auto cpus = CpuSet::parse(*text);
        if (!cpus) return refuse(": " + cpus.error().message);
        if (cpus->empty()) return refuse(" names no CPU");
        into = *std::move(cpus);
        return true;
    }

    /// A later file's pool replaces an earlier one whole and keeps its place.
    void put(PoolSpec spec) {
        for (PoolSpec& pool : config_.pools) {
            if (pool.name == spec.name) {
                pool = std::move(spec);
                return;
            }
        }
        config_.pools.push_back(std::move(spec));
    }

    const std::string& file_;
    const Unknown unknown_;
    Config& config_;
    std::optional<Error> error_;
};

Status read_text(const ConfigText& text, Unknown unknown, Config& config) {
    if (text.text.size() > kMaxText) {
        return make_error(Errc::invalid_argument, text.name + " is longer than 1 MiB");
    }
    try {
        const toml::table root = toml::parse(text.text);
        return FileReader(text, unknown, config).read(root);
    } catch (const toml::parse_error& problem) {
        return make_error(Errc::invalid_argument,
                          place(text.name, problem.source()) + std::string(problem.description()));
    } catch (const std::exception& problem) {
        return make_error(Errc::invalid_argument, text.name + ": " + problem.what());
    }
}

}  // namespace

Result<Config> parse_config(const std::vector<ConfigText>& texts, Unknown unknown) {
    Config config;
    for (const ConfigText& text : texts)
        CMK_TRY(read_text(text, unknown, config));
    return config;
}

}  // namespace cmk
