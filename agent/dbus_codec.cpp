// SPDX-License-Identifier: Apache-2.0
// What goes out; dbus_reader.cpp has what comes in.
#include "agent/dbus_codec.h"

namespace cmk {

namespace {

/// Length of the UTF-8 sequence that starts with `lead`, 0 where none can.
std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead < 0xe0) return 2;
    if (lead >= 0xe0 && lead < 0xf0) return 3;
    if (lead >= 0xf0 && lead < 0xf5) return 4;
    return 0;
}

/// U+FDD0 to U+FDEF and the last two of each plane, in a well-formed sequence. They are valid
/// UTF-8, but sd-bus refuses to write or read a message that has one.
bool is_noncharacter(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    if (bytes.size() == 3 && at(0) == 0xef) {
        return (at(1) == 0xb7 && at(2) >= 0x90 && at(2) <= 0xaf) ||
               (at(1) == 0xbf && at(2) >= 0xbe);
    }
    return bytes.size() == 4 && (at(1) & 0x0f) == 0x0f && at(2) == 0xbf && at(3) >= 0xbe;
}

/// Source: Unicode 15, table 3-7, "Well-Formed UTF-8 Byte Sequences".
bool is_sequence(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    for (std::size_t i = 1; i < bytes.size(); ++i) {
        if ((at(i) & 0xc0) != 0x80) return false;
    }
    if (bytes.size() < 3) return true;
    const bool too_long = (at(0) == 0xe0 && at(1) < 0xa0) || (at(0) == 0xf0 && at(1) < 0x90);
    const bool surrogate = at(0) == 0xed && at(1) >= 0xa0;
    const bool too_large = at(0) == 0xf4 && at(1) >= 0x90;
    return !too_long && !surrogate && !too_large && !is_noncharacter(bytes);
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = sequence_length(static_cast<unsigned char>(text.front()));
        const bool good = length > 0 && length <= text.size() && text.front() != '\0' &&
                          is_sequence(text.substr(0, length));
        valid += good ? text.substr(0, length) : std::string_view("?");
        text.remove_prefix(good ? length : 1);
    }
    return valid;
}

void BusWriter::keep(int result) {
    if (error_ == 0 && result < 0) error_ = result;
}

void BusWriter::open(char type, const char* contents) {
    if (error_ == 0) keep(::sd_bus_message_open_container(message_, type, contents));
}

void BusWriter::begin_entry(const char* key, const char* type) {
    open(SD_BUS_TYPE_DICT_ENTRY, "sv");
    text(key);
    open(SD_BUS_TYPE_VARIANT, type);
}

void BusWriter::end_entry() {
    end();
    end();
}

void BusWriter::text(std::string_view value) {
    if (error_ != 0) return;
    keep(::sd_bus_message_append_basic(message_, SD_BUS_TYPE_STRING, valid_utf8(value).c_str()));
}

void BusWriter::count(std::uint32_t value) {
    if (error_ == 0) keep(::sd_bus_message_append_basic(message_, SD_BUS_TYPE_UINT32, &value));
}

void BusWriter::texts(const std::vector<std::string>& values) {
    open(SD_BUS_TYPE_ARRAY, "s");
    for (const std::string& value : values)
        text(value);
    end();
}

void BusWriter::text(const char* key, std::string_view value) {
    entry(key, "s", [&] { text(value); });
}

void BusWriter::count(const char* key, std::uint32_t value) {
    entry(key, "u", [&] { count(value); });
}

void BusWriter::time(const char* key, std::uint64_t value) {
    entry(key, "t",
          [&] { keep(::sd_bus_message_append_basic(message_, SD_BUS_TYPE_UINT64, &value)); });
}

void BusWriter::flag(const char* key, bool value) {
    const int number = value ? 1 : 0;
    entry(key, "b",
          [&] { keep(::sd_bus_message_append_basic(message_, SD_BUS_TYPE_BOOLEAN, &number)); });
}

void BusWriter::texts(const char* key, const std::vector<std::string>& values) {
    entry(key, "as", [&] { texts(values); });
}

void write(BusWriter& writer, const Grant& grant) {
    writer.begin_dict();
    writer.text("grade", to_text(grant.grade));
    writer.texts("notes", grant.notes);
    if (grant.shared) writer.text("shared", grant.shared->to_cpulist());
    if (grant.infra) writer.text("infra", grant.infra->to_cpulist());
    writer.end();
}

void write(BusWriter& writer, const PoolReport& report) {
    const PoolSpec& spec = report.pool.spec;
    writer.begin_dict();
    writer.text("name", spec.name);
    writer.text("kind", to_text(spec.kind));
    writer.text("mode", to_text(spec.mode));
    writer.text("isolation", to_text(spec.isolation));
    writer.text("require_grade", to_text(spec.require_grade));
    writer.text("cpus", report.pool.cpus.to_cpulist());
    writer.text("free", report.free.to_cpulist());
    writer.count("cores", report.cores);
    writer.count("free_cores", report.free_cores);
    writer.count("leases", report.leases);
    writer.count("waiting", report.waiting);
    writer.flag("boot_isolated", report.pool.boot_isolated);
    writer.text("partition", to_text(report.pool.partition));
    writer.end();
}

void write(BusWriter& writer, const Lease& lease) {
    writer.begin_dict();
    writer.text("id", lease.id);
    writer.text("pool", lease.pool);
    writer.text("cpus", lease.cpus.to_cpulist());
    writer.text("hold", to_text(lease.hold));
    writer.text("place", to_text(lease.place.kind));
    writer.text("grade", to_text(lease.grade));
    writer.text("status", to_text(lease.status));
    writer.time("created", static_cast<std::uint64_t>(lease.created));
    writer.count("pid", static_cast<std::uint32_t>(lease.owner.pid));
    writer.count("uid", lease.owner.uid);
    writer.text("user", lease.owner.user);
    writer.text("command", lease.owner.command);
    writer.text("cgroup", lease.owner.cgroup);
    writer.flag("container", lease.owner.container);
    writer.text("unit", lease.owner.unit);
    writer.text("pod", lease.owner.pod);
    writer.end();
}

void write(BusWriter& writer, const CpuRecord& record) {
    writer.begin_dict();
    writer.count("cpu", record.cpu);
    writer.count("core", record.core);
    writer.count("package", record.package);
    writer.count("numa", record.numa);
    writer.count("llc", record.llc);
    writer.text("kind", record.kind);
    writer.end();
}

void write(BusWriter& writer, const HostReport& host) {
    writer.begin_dict();
    writer.text("isolated", host.isolated.to_cpulist());
    writer.text("mechanism", host.mechanism);
    writer.text("version", host.version);
    writer.texts("problems", host.problems);
    writer.end();
}

void write(BusWriter& writer, const ReconcileReport& report) {
    writer.begin_dict();
    writer.count("leases", report.leases);
    writer.texts("repaired", report.repaired);
    writer.texts("problems", report.problems);
    writer.end();
}

namespace {

void write(BusWriter& writer, const Check& check) {
    writer.begin_dict();
    writer.text("what", check.what);
    writer.flag("passed", check.passed);
    writer.text("evidence", check.evidence);
    writer.end();
}

}  // namespace

void write(BusWriter& writer, const LeaseVerdict& verdict) {
    writer.begin_dict();
    writer.entry("lease", "a{sv}", [&] { write(writer, verdict.lease); });
    writer.flag("passed", verdict.passed);
    writer.entry("checks", "aa{sv}", [&] {
        writer.begin_list();
        for (const Check& check : verdict.checks)
            write(writer, check);
        writer.end();
    });
    writer.text("raise", verdict.raise);
    writer.end();
}

void write(BusWriter& writer, const ReconfigureReport& report) {
    writer.begin_dict();
    writer.flag("changed", report.changed);
    writer.entry("pools", "aa{sv}", [&] { write(writer, report.pools); });
    writer.texts("changes", report.changes);
    writer.texts("warnings", report.warnings);
    writer.end();
}

}  // namespace cmk
