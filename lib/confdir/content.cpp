// SPDX-License-Identifier: Apache-2.0
#include "confdir/content.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace cmk {

CpuSet CpuList::set() const {
    CpuSet set;
    for (const unsigned cpu : cpus)
        set.add(cpu);
    return set;
}

std::string CpuList::path() const {
    return "pools/" + pool + "/" + socket + "/" + name;
}

const ListedPool* DirectoryContent::find(std::string_view pool) const {
    const auto at = std::find_if(pools.begin(), pools.end(),
                                 [&](const ListedPool& each) { return each.name == pool; });
    return at == pools.end() ? nullptr : &*at;
}

std::vector<const CpuList*> DirectoryContent::lists() const {
    std::vector<const CpuList*> all;
    for (const ListedPool& pool : pools) {
        for (const CpuList& list : pool.lists)
            all.push_back(&list);
    }
    return all;
}

std::vector<const CpuList*> in_numeric_order(std::vector<const CpuList*> lists) {
    const auto key = [](const CpuList* list) {
        return std::tuple(list->cpus.empty() ? kMaxCpus : list->cpus.front(),
                          std::string_view(list->name));
    };
    std::stable_sort(lists.begin(), lists.end(),
                     [&](const CpuList* a, const CpuList* b) { return key(a) < key(b); });
    return lists;
}

std::vector<const CpuList*> in_numeric_order(const ListedPool& pool) {
    std::vector<const CpuList*> lists;
    for (const CpuList& list : pool.lists)
        lists.push_back(&list);
    return in_numeric_order(std::move(lists));
}

std::string normalised_path(std::string_view path) {
    if (path.empty()) return ".";
    const bool absolute = path.front() == '/';
    std::vector<std::string> pieces;
    for (const std::string_view piece : split(path, '/')) {
        if (piece.empty() || piece == ".") continue;
        if (piece != ".." || (!absolute && (pieces.empty() || pieces.back() == ".."))) {
            pieces.emplace_back(piece);
        } else if (!pieces.empty()) {
            pieces.pop_back();
        }
    }
    // POSIX gives exactly two leading slashes a meaning of their own.
    const bool two = path.starts_with("//") && !path.starts_with("///");
    const std::string joined = (absolute ? (two ? "//" : "/") : "") + join(pieces, "/");
    return joined.empty() ? "." : joined;
}

}  // namespace cmk
