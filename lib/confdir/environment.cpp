// SPDX-License-Identifier: Apache-2.0
#include "confdir/environment.h"

#include <cctype>

#include "base/text.h"

namespace cmk {

namespace {

std::string comma_list(const std::vector<const CpuList*>& lists) {
    std::vector<std::string> cpus;
    for (const CpuList* list : lists) {
        for (const unsigned cpu : list->cpus)
            cpus.push_back(std::to_string(cpu));
    }
    return join(cpus, ",");
}

}  // namespace

std::string assigned_cpus(const std::vector<const CpuList*>& lists) {
    return comma_list(in_numeric_order(lists));
}

std::string assigned_mask(const std::vector<const CpuList*>& lists) {
    CpuSet cpus;
    for (const CpuList* list : lists)
        cpus |= list->set();
    std::string mask = cpus.to_mask();
    for (char& digit : mask)
        digit = static_cast<char>(std::toupper(static_cast<unsigned char>(digit)));
    return mask;
}

std::optional<std::string> pool_cpus(const DirectoryContent& content, std::string_view pool) {
    const ListedPool* found = content.find(pool);
    if (found == nullptr) return std::nullopt;
    std::vector<const CpuList*> lists;
    for (const CpuList& list : found->lists)
        lists.push_back(&list);
    return comma_list(lists);
}

}  // namespace cmk
