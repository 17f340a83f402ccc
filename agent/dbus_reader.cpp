// SPDX-License-Identifier: Apache-2.0
// What comes in over D-Bus; dbus_codec.cpp has what goes out.
#include <algorithm>

#include "agent/dbus_codec.h"
#include "base/text.h"

namespace cmk {

namespace {

Error malformed() {
    return make_error(Errc::invalid_argument, "the message is malformed");
}

/// An integer of D-Bus type T, where it is not negative.
template <typename T>
std::optional<std::uint64_t> read_integer(sd_bus_message* message, char type) {
    T value{};
    if (::sd_bus_message_read_basic(message, type, &value) <= 0 || value < T{}) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(value);
}

std::optional<std::uint64_t> read_any_integer(sd_bus_message* message, char type) {
    switch (type) {
        case SD_BUS_TYPE_BYTE: return read_integer<std::uint8_t>(message, type);
        case SD_BUS_TYPE_INT16: return read_integer<std::int16_t>(message, type);
        case SD_BUS_TYPE_UINT16: return read_integer<std::uint16_t>(message, type);
        case SD_BUS_TYPE_INT32: return read_integer<std::int32_t>(message, type);
        case SD_BUS_TYPE_UINT32: return read_integer<std::uint32_t>(message, type);
        case SD_BUS_TYPE_INT64: return read_integer<std::int64_t>(message, type);
        default: return read_integer<std::uint64_t>(message, type);
    }
}

std::vector<std::string> read_texts(sd_bus_message* message) {
    std::vector<std::string> texts;
    if (::sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "s") <= 0) return texts;
    const char* text = nullptr;
    while (::sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &text) > 0)
        texts.emplace_back(text);
    ::sd_bus_message_exit_container(message);
    return texts;
}

template <typename Enum, typename Parse>
void read_enum(DictReader& reader, const char* key, Parse parse, const char* allowed, Enum& into) {
    const std::string text = reader.text(key);
    const auto value = parse(text);
    if (!value) return reader.fail(key, quote(text) + " is not one of " + allowed);
    into = *value;
}

/// How large the pool shall be: exactly one of cores, cpus, rest.
void read_size(DictReader& reader, PoolSpec& spec) {
    const bool rest = reader.has("rest") && reader.flag("rest");
    if ((reader.has("cores") ? 1 : 0) + (reader.has("cpus") ? 1 : 0) + (rest ? 1 : 0) != 1) {
        return reader.fail("cores", "a pool has exactly one of cores, cpus and rest");
    }
    if (reader.has("cores")) {
        spec.size = static_cast<unsigned>(reader.number("cores", kMaxCpus));
    } else if (reader.has("cpus")) {
        spec.size = reader.cpus("cpus");
    }
}

void read_access(DictReader& reader, PoolAccess& access) {
    if (reader.has("allow_users")) access.users = reader.texts("allow_users");
    if (reader.has("allow_groups")) access.groups = reader.texts("allow_groups");
    if (reader.has("allow_units")) access.units = reader.texts("allow_units");
    if (reader.has("allow_containers")) access.containers = reader.flag("allow_containers");
    if (reader.has("allow_pods")) access.pods = reader.texts("allow_pods");
    const auto read_bound = [&](const char* key, unsigned& into) {
        if (reader.has(key)) into = static_cast<unsigned>(reader.number(key, kMaxCpus));
    };
    read_bound("cores_per_user", access.cores_per_user);
    read_bound("cores_per_pod", access.cores_per_pod);
}

Result<PoolSpec> read_pool_spec(sd_bus_message* message) {
    CMK_TRY_ASSIGN(DictReader reader, DictReader::read(message));
    reader.allow_only({"name", "kind", "cores", "cpus", "rest", "prefer_cpus", "mode", "isolation",
                       "require_grade", "allow_users", "allow_groups", "allow_containers",
                       "allow_units", "allow_pods", "cores_per_user", "cores_per_pod"});
    PoolSpec spec;
    spec.name = reader.text("name");
    read_enum(reader, "kind", pool_kind_from, "exclusive, shared", spec.kind);
    read_size(reader, spec);
    if (reader.has("prefer_cpus")) spec.prefer = reader.cpus("prefer_cpus");
    if (reader.has("mode")) {
        read_enum(reader, "mode", pool_mode_from, "packed, spread", spec.mode);
    }
    if (reader.has("isolation")) {
        read_enum(reader, "isolation", isolation_from, "auto, partition, cpuset, affinity",
                  spec.isolation);
    }
    if (reader.has("require_grade")) {
        read_enum(reader, "require_grade", grade_from, "A, B, C, D", spec.require_grade);
    }
    read_access(reader, spec.access);
    if (!reader.ok()) return reader.error();
    return spec;
}

}  // namespace

Result<DictReader> DictReader::read(sd_bus_message* message) {
    DictReader reader;
    if (::sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}") <= 0) {
        return malformed();
    }
    int more = 0;
    while ((more = ::sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
        const char* key = nullptr;
        const char* type = nullptr;
        if (::sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &key) <= 0 ||
            ::sd_bus_message_peek_type(message, nullptr, &type) <= 0) {
            return malformed();
        }
        const std::string kept_type = type;
        if (::sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, type) <= 0) {
            return malformed();
        }
        if (!reader.values_.emplace(key, read_value(message, kept_type)).second) {
            reader.fail(key, "is there twice");
        }
        if (::sd_bus_message_exit_container(message) < 0 ||
            ::sd_bus_message_exit_container(message) < 0) {
            return malformed();
        }
    }
    if (more < 0 || ::sd_bus_message_exit_container(message) < 0) return malformed();
    return reader;
}

DictReader::Value DictReader::read_value(sd_bus_message* message, const std::string& type) {
    if (type == "s") {
        const char* text = nullptr;
        if (::sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &text) > 0) {
            return std::string(text);
        }
    } else if (type == "b") {
        int flag = 0;
        if (::sd_bus_message_read_basic(message, SD_BUS_TYPE_BOOLEAN, &flag) > 0) return flag != 0;
    } else if (type == "as") {
        return read_texts(message);
    } else if (type.size() == 1 && std::string_view("ynqiuxt").find(type) != std::string::npos) {
        const auto number = read_any_integer(message, type.front());
        return number ? Value(*number) : Value(Other{"a negative number"});
    } else {
        ::sd_bus_message_skip(message, type.c_str());
    }
    return Other{"a value of type " + type};
}

void DictReader::fail(const std::string& key, const std::string& why) {
    if (!error_) error_ = make_error(Errc::invalid_argument, key + ": " + why);
}

template <typename T>
T DictReader::get(const std::string& key, const char* type) {
    const auto at = values_.find(key);
    if (at == values_.end()) {
        fail(key, "is missing");
        return T{};
    }
    if (const T* value = std::get_if<T>(&at->second)) return *value;
    const auto* other = std::get_if<Other>(&at->second);
    fail(key, std::string("must be ") + type + (other != nullptr ? ", not " + other->type : ""));
    return T{};
}

std::string DictReader::text(const std::string& key) {
    return get<std::string>(key, "a string (s)");
}

std::uint64_t DictReader::number(const std::string& key, std::uint64_t max) {
    const std::string range = "a whole number from 0 to " + std::to_string(max);
    const auto number = get<std::uint64_t>(key, range.c_str());
    if (number <= max) return number;
    fail(key, "must be " + range + ", not " + std::to_string(number));
    return 0;
}

bool DictReader::flag(const std::string& key) {
    return get<bool>(key, "true or false (b)");
}

std::vector<std::string> DictReader::texts(const std::string& key) {
    return get<std::vector<std::string>>(key, "a list of strings (as)");
}

CpuSet DictReader::cpus(const std::string& key) {
    auto set = CpuSet::parse(text(key));
    if (!set) fail(key, set.error().message);
    return set ? *std::move(set) : CpuSet{};
}

void DictReader::allow_only(std::initializer_list<std::string_view> keys) {
    for (const auto& [key, value] : values_) {
        if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
        fail(quote(key), "is not known");
    }
}

Result<std::vector<PoolSpec>> read_pool_specs(sd_bus_message* message) {
    std::vector<PoolSpec> specs;
    if (::sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "a{sv}") <= 0) {
        return malformed();
    }
    while (::sd_bus_message_at_end(message, 0) == 0) {
        auto spec = read_pool_spec(message);
        if (!spec) {
            return with_context(std::move(spec).error(),
                                "pools[" + std::to_string(specs.size()) + "]");
        }
        specs.push_back(*std::move(spec));
    }
    if (::sd_bus_message_exit_container(message) < 0) return malformed();
    return specs;
}

}  // namespace cmk
