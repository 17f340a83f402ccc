// SPDX-License-Identifier: Apache-2.0
// Descriptions of machines, in each form: what parses is a machine whose cores hold its CPUs, and
// what does not says why.
#include <string>

#include "cli/topology_text.h"
#include "fuzz/must.h"

namespace {

using namespace cmk;
using cmk::test::must;

void check(const Result<Topology>& topology) {
    if (!topology) {
        must(topology.error().code == Errc::invalid_argument, "it is the text that is wrong");
        must(!topology.error().message.empty(), "an error says what is wrong");
        return;
    }
    must(!topology->cpus().empty(), "a machine has a CPU");
    std::size_t count = 0;
    for (const Core& core : topology->cores())
        count += core.cpus.count();
    must(count == topology->records().size(), "every CPU is in one core");
    must(topology->cpus().count() == count, "and there once");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = cmk::test::text_of(data, size);
    check(parse_synthetic(text));
    check(parse_hwloc_xml(text));
    check(parse_lscpu(text));
    return 0;
}
