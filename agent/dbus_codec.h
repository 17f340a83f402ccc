// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "core/report.h"

namespace cmk {

/// `text` with bytes that are no UTF-8, or none that sd-bus takes, replaced by '?'. A bus daemon
/// disconnects whoever sends others, and process names may have any.
std::string valid_utf8(std::string_view text);

/// Appends to a D-Bus message. The first failure is kept; calls after it do nothing.
class BusWriter {
public:
    explicit BusWriter(sd_bus_message* message) : message_(message) {}

    void text(std::string_view value);
    void count(std::uint32_t value);
    void texts(const std::vector<std::string>& values);

    void begin_list() { open(SD_BUS_TYPE_ARRAY, "a{sv}"); }
    void begin_dict() { open(SD_BUS_TYPE_ARRAY, "{sv}"); }
    /// Ends a list or a dictionary.
    void end() { keep(::sd_bus_message_close_container(message_)); }

    // Entries of a dictionary.
    void text(const char* key, std::string_view value);
    void count(const char* key, std::uint32_t value);
    void time(const char* key, std::uint64_t value);
    void flag(const char* key, bool value);
    void texts(const char* key, const std::vector<std::string>& values);
    /// An entry whose value `write` appends; `type` is its signature.
    template <typename Write>
    void entry(const char* key, const char* type, Write&& write) {
        begin_entry(key, type);
        write();
        end_entry();
    }

    /// 0, or the negative errno of the first failure.
    int error() const { return error_; }

private:
    void keep(int result);
    void open(char type, const char* contents);
    void begin_entry(const char* key, const char* type);
    void end_entry();

    sd_bus_message* message_;
    int error_ = 0;
};

inline void write(BusWriter& writer, const std::string& value) {
    writer.text(value);
}
inline void write(BusWriter& writer, const CpuSet& cpus) {
    writer.text(cpus.to_cpulist());
}
/// What the caller should know besides lease and CPUs.
void write(BusWriter& writer, const Grant& grant);
void write(BusWriter& writer, const PoolReport& report);
void write(BusWriter& writer, const Lease& lease);
void write(BusWriter& writer, const CpuRecord& record);
/// All but the CPUs.
void write(BusWriter& writer, const HostReport& host);
void write(BusWriter& writer, const ReconcileReport& report);
void write(BusWriter& writer, const LeaseVerdict& verdict);
void write(BusWriter& writer, const ReconfigureReport& report);

template <typename T>
void write(BusWriter& writer, const std::vector<T>& items) {
    writer.begin_list();
    for (const T& item : items)
        write(writer, item);
    writer.end();
}

/// One a{sv} of a D-Bus message, read strictly. The first thing that is wrong is kept in
/// `error()`; reads after it return empty values, so a caller reads all keys and checks once.
class DictReader {
public:
    /// Errors: invalid_argument for a malformed message or a key that is there twice.
    static Result<DictReader> read(sd_bus_message* message);

    bool has(const std::string& key) const { return values_.find(key) != values_.end(); }
    std::string text(const std::string& key);
    /// Any of the integer types.
    std::uint64_t number(const std::string& key, std::uint64_t max);
    bool flag(const std::string& key);
    std::vector<std::string> texts(const std::string& key);
    CpuSet cpus(const std::string& key);
    /// Refuses keys that are not in the list.
    void allow_only(std::initializer_list<std::string_view> keys);
    void fail(const std::string& key, const std::string& why);

    bool ok() const { return !error_; }
    /// "key: why"; Errc::invalid_argument.
    Error error() const { return *error_; }

private:
    /// A value of a type that no key takes.
    struct Other {
        std::string type;
    };
    using Value = std::variant<Other, std::string, std::uint64_t, bool, std::vector<std::string>>;

    static Value read_value(sd_bus_message* message, const std::string& type);
    template <typename T>
    T get(const std::string& key, const char* type);

    std::map<std::string, Value, std::less<>> values_;
    std::optional<Error> error_;
};

/// An aa{sv} of pools as Reconfigure takes it. Errors: invalid_argument, "pools[i]: key: why".
Result<std::vector<PoolSpec>> read_pool_specs(sd_bus_message* message);

}  // namespace cmk
