// SPDX-License-Identifier: Apache-2.0
#include "core/cpu_text.h"

namespace cmk {

std::string cpus_text(const CpuSet& cpus) {
    return (cpus.count() == 1 ? "CPU " : "CPUs ") + cpus.to_cpulist();
}

std::string cpus_are(const CpuSet& cpus) {
    return cpus_text(cpus) + (cpus.count() == 1 ? " is" : " are");
}

}  // namespace cmk
