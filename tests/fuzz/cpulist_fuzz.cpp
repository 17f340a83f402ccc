// SPDX-License-Identifier: Apache-2.0
// CPU lists and the kernel command line: what parses prints and parses equal, in each form.
#include <string>

#include "core/cpu_set.h"
#include "core/pool_planner.h"
#include "fuzz/must.h"

namespace {

using namespace cmk;
using cmk::test::must;

CpuSet set_of_mask(std::string_view mask) {
    CpuSet set;
    for (std::size_t nibble = 0; nibble < mask.size(); ++nibble) {
        const char c = mask[mask.size() - 1 - nibble];
        const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
        for (unsigned bit = 0; bit < 4; ++bit) {
            if ((digit >> bit & 1) != 0) set.add(static_cast<unsigned>(nibble * 4) + bit);
        }
    }
    return set;
}

void check_error(const Error& error) {
    must(error.code == Errc::invalid_argument, "what does not parse is an invalid argument");
    must(!error.message.empty(), "an error says what is wrong");
}

void check_list(std::string_view text) {
    const auto set = CpuSet::parse(text);
    if (!set) return check_error(set.error());
    must(set->count() == set->to_vector().size(), "count() counts the members");
    const std::string list = set->to_cpulist();
    const auto again = CpuSet::parse(list);
    must(again && *again == *set, "parse(to_cpulist()) is the same set");
    must(again->to_cpulist() == list, "it prints the same again");
    const auto from_commas = CpuSet::parse(set->to_comma_list());
    must(from_commas && *from_commas == *set, "parse(to_comma_list()) is the same set");
    must(set_of_mask(set->to_mask()) == *set, "the mask has the same members");
    const auto isolated = parse_isolcpus("isolcpus=" + std::string(text), kMaxCpus - 1);
    must(isolated && *isolated == *set, "isolcpus= means what the cpulist means");
}

void check_command_line(std::string_view text, unsigned last_cpu) {
    const auto cpus = parse_isolcpus(text, last_cpu);
    if (!cpus) return check_error(cpus.error());
    must(CpuSet::first(last_cpu + 1).contains_all(*cpus), "CPUs beyond the last are dropped");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = cmk::test::text_of(data, size);
    check_list(text);
    for (const unsigned last_cpu : {0U, 7U, kMaxCpus - 1}) {
        check_command_line(text, last_cpu);
        check_command_line("quiet isolcpus=" + std::string(text), last_cpu);
    }
    return 0;
}
