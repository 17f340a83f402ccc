// SPDX-License-Identifier: Apache-2.0
#include "cli/topology_tree.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

namespace cmk {

namespace {

class TreeReader {
public:
    explicit TreeReader(const std::vector<TreeObject>& objects)
        : objects_(objects), numbers_(objects.size()), nodes_(objects.size()) {
        std::map<std::pair<ObjectType, unsigned>, unsigned> next;
        for (std::size_t i = 0; i < objects.size(); ++i) {
            numbers_[i] = next[{objects[i].type, objects[i].cache_level}]++;
            if (objects[i].type == ObjectType::numa) nodes_[place_of(i)].push_back(i);
        }
    }

    std::vector<CpuRecord> records() const {
        std::vector<CpuRecord> records;
        for (std::size_t i = 0; i < objects_.size(); ++i) {
            if (objects_[i].type == ObjectType::pu) records.push_back(record_of(i));
        }
        return records;
    }

private:
    static constexpr std::size_t kNone = TreeObject::kNoParent;

    /// Memory hangs aside: a node belongs to all below the first object above it that is no memory.
    std::size_t place_of(std::size_t node) const {
        std::size_t at = objects_[node].parent;
        while (at != kNone && objects_[at].type == ObjectType::memory_cache)
            at = objects_[at].parent;
        return at == kNone ? 0 : at;
    }

    CpuRecord record_of(std::size_t pu) const {
        CpuRecord record{.cpu = objects_[pu].os_index, .core = numbers_[pu]};
        std::optional<std::size_t> cache;
        bool has_node = false;
        for (std::size_t at = pu; at != kNone; at = objects_[at].parent) {
            const TreeObject& object = objects_[at];
            if (object.type == ObjectType::core) record.core = numbers_[at];
            if (object.type == ObjectType::package) record.package = object.os_index;
            if (object.type == ObjectType::data_cache) cache = at;
            // The nearest node; hwloc lists those further out after it.
            if (!has_node && !nodes_[at].empty()) {
                record.numa = objects_[nodes_[at].front()].os_index;
                has_node = true;
            }
        }
        record.llc = cache ? numbers_[*cache] : record.package;
        return record;
    }

    const std::vector<TreeObject>& objects_;
    std::vector<unsigned> numbers_;                // each type counted on its own
    std::vector<std::vector<std::size_t>> nodes_;  // NUMA nodes by the object they are local to
};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

/// "l3", "l2d", "l1cache", "l1dcache"; instruction caches are no such.
bool is_data_cache(std::string_view name) {
    if (name.size() < 2 || name[0] != 'l' || name[1] < '1' || name[1] > '5') return false;
    const std::string_view rest = name.substr(2);
    return rest.empty() || rest == "d" || rest == "cache" || rest == "dcache";
}

}  // namespace

ObjectType object_type_from(std::string_view name) {
    static const std::map<std::string, ObjectType, std::less<>> kNames{
        {"pack", ObjectType::package},
        {"package", ObjectType::package},
        {"socket", ObjectType::package},
        {"numa", ObjectType::numa},
        {"node", ObjectType::numa},
        {"numanode", ObjectType::numa},
        {"memcache", ObjectType::memory_cache},
        {"core", ObjectType::core},
        {"pu", ObjectType::pu}};
    const std::string small = lower(name);
    if (is_data_cache(small)) return ObjectType::data_cache;
    const auto at = kNames.find(small);
    return at == kNames.end() ? ObjectType::other : at->second;
}

Result<Topology> topology_of(const std::vector<TreeObject>& objects) {
    return Topology::from_records(TreeReader(objects).records());
}

}  // namespace cmk
