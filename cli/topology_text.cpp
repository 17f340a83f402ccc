// SPDX-License-Identifier: Apache-2.0
#include "cli/topology_text.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

constexpr std::size_t kMaxFile = 64U << 20;
constexpr std::size_t kNoColumn = SIZE_MAX;

Error bad_row(std::size_t line, const std::string& what) {
    return make_error(Errc::invalid_argument,
                      "lscpu -p, line " + std::to_string(line) + ": " + what);
}

/// Where the columns are that are needed.
struct Columns {
    std::size_t cpu = kNoColumn;
    std::size_t core = kNoColumn;
    std::size_t package = kNoColumn;
    std::size_t numa = kNoColumn;
    std::size_t llc = kNoColumn;

    bool is_complete() const {
        return cpu != kNoColumn && core != kNoColumn && package != kNoColumn;
    }
};

/// "# CPU,Core,Socket,Node,,L1d,L1i,L2,L3"
Columns columns_of_header(std::string_view header) {
    Columns columns;
    header.remove_prefix(std::min(header.find_first_not_of("# "), header.size()));
    const std::vector<std::string_view> names = split(header, ',');
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string_view name = trim(names[i]);
        if (name == "CPU") columns.cpu = i;
        if (name == "Core") columns.core = i;
        if (name == "Socket") columns.package = i;
        if (name == "Node") columns.numa = i;
        if (name.size() > 1 && name[0] == 'L' && name.back() != 'i') columns.llc = i;
    }
    return columns;
}

/// The number in a column; none where it is empty or not there.
std::optional<unsigned> number_in(const std::vector<std::string_view>& row, std::size_t column) {
    if (column >= row.size()) return std::nullopt;
    const auto number = parse_unsigned(trim(row[column]), UINT32_MAX);
    if (!number) return std::nullopt;
    return static_cast<unsigned>(*number);
}

Result<CpuRecord> parse_row(std::string_view text, std::size_t line, const Columns& columns) {
    const std::vector<std::string_view> row = split(text, ',');
    const auto cpu = number_in(row, columns.cpu);
    const auto core = number_in(row, columns.core);
    const auto package = number_in(row, columns.package);
    if (!cpu || !core || !package) return bad_row(line, "no CPU, core and socket: " + quote(text));
    return CpuRecord{.cpu = *cpu,
                     .core = *core,
                     .package = *package,
                     .numa = number_in(row, columns.numa).value_or(0),
                     .llc = number_in(row, columns.llc).value_or(*package)};
}

}  // namespace

Result<Topology> parse_lscpu(std::string_view text) {
    Columns columns;
    std::vector<CpuRecord> records;
    std::size_t line = 0;
    for (const std::string_view row : split(text, '\n')) {
        ++line;
        if (trim(row).empty()) continue;
        if (row.front() == '#') {
            const Columns found = columns_of_header(row);
            if (found.is_complete()) columns = found;
            continue;
        }
        if (!columns.is_complete()) return bad_row(line, "no line names the columns before it");
        CMK_TRY_ASSIGN(CpuRecord record, parse_row(row, line, columns));
        records.push_back(std::move(record));
    }
    return Topology::from_records(std::move(records));
}

Result<Topology> read_topology(const std::string& file_or_synthetic) {
    const auto text = read_file_at(AT_FDCWD, file_or_synthetic, kMaxFile);
    if (!text) {
        const bool is_file = file_or_synthetic.find(':') == std::string::npos;
        const int number = text.error().sys_errno;
        if (is_file || (number != ENOENT && number != ENAMETOOLONG)) return text.error();
        return parse_synthetic(file_or_synthetic);
    }
    const std::string_view content = trim(*text);
    if (content.substr(0, 1) == "<") return parse_hwloc_xml(content);
    if (content.substr(0, 1) == "#") return parse_lscpu(content);
    return parse_synthetic(content);
}

}  // namespace cmk
