// SPDX-License-Identifier: Apache-2.0
#include "cli/leased_program.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace cmk {

namespace {

void set_or_clear(const char* name, const std::optional<CpuSet>& cpus) {
    if (cpus) {
        ::setenv(name, cpus->to_comma_list().c_str(), 1);
    } else {
        ::unsetenv(name);
    }
}

}  // namespace

void export_grant(const Grant& grant) {
    ::setenv("CMK_CPUS_ASSIGNED", grant.cpus.to_comma_list().c_str(), 1);
    ::setenv("CMK_CPUS_ASSIGNED_MASK", grant.cpus.to_mask().c_str(), 1);
    ::setenv("CMK_LEASE_ID", grant.lease.c_str(), 1);
    // Inherited values would speak of another lease's host or time.
    set_or_clear("CMK_CPUS_SHARED", grant.shared);
    set_or_clear("CMK_CPUS_INFRA", grant.infra);
}

int become(const std::string& path, std::vector<std::string> words) {
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words)
        pointers.push_back(word.data());
    pointers.push_back(nullptr);
    // A path with a slash: execvp only adds that a script without "#!" goes to the shell.
    ::execvp(path.c_str(), pointers.data());
    return errno;
}

}  // namespace cmk
