// SPDX-License-Identifier: Apache-2.0
#include "core/core_choice.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <tuple>
#include <utility>

namespace cmk {

namespace {

struct Candidate {
    unsigned numa = 0;
    unsigned llc = 0;
    unsigned lowest = 0;
    const Core* core = nullptr;
};

/// Free cores that share a last-level cache, ascending. One spanning NUMA nodes counts as several.
struct Cache {
    std::vector<Candidate> cores;

    unsigned size() const { return static_cast<unsigned>(cores.size()); }
    unsigned lowest() const { return cores.front().lowest; }
};

/// Free cores of a NUMA node; caches ascending by their lowest CPU.
struct Node {
    std::vector<Cache> caches;
    std::vector<unsigned> most = {};  ///< [c]: the most cores that c of its caches can give

    unsigned size() const { return most.back(); }
    unsigned lowest() const { return caches.front().lowest(); }
};

using Caches = std::vector<const Cache*>;
using Nodes = std::vector<const Node*>;

std::vector<Candidate> sorted_candidates(const std::vector<const Core*>& free) {
    std::vector<Candidate> candidates;
    candidates.reserve(free.size());
    for (const Core* core : free)
        candidates.push_back(Candidate{core->numa, core->llc, core->cpus.lowest(), core});
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        return std::tie(a.numa, a.llc, a.lowest) < std::tie(b.numa, b.llc, b.lowest);
    });
    return candidates;
}

template <typename Group>
void sort_by_lowest(std::vector<Group>& groups) {
    std::sort(groups.begin(), groups.end(),
              [](const Group& a, const Group& b) { return a.lowest() < b.lowest(); });
}

/// Of caches or of nodes.
template <typename Group>
std::vector<unsigned> sizes_descending(const std::vector<const Group*>& groups) {
    std::vector<unsigned> sizes;
    for (const Group* group : groups)
        sizes.push_back(group->size());
    std::sort(sizes.begin(), sizes.end(), std::greater<>());
    return sizes;
}

/// How many of `sizes`, largest first, add up to `count`.
unsigned fewest(const std::vector<unsigned>& sizes, unsigned count) {
    unsigned used = 0;
    for (unsigned total = 0; total < count; ++used)
        total += sizes[used];
    return used;
}

Caches caches_of(const Nodes& nodes) {
    Caches caches;
    for (const Node* node : nodes) {
        for (const Cache& cache : node->caches)
            caches.push_back(&cache);
    }
    return caches;
}

void finish(Node& node) {
    node.most = {0};
    for (const unsigned size : sizes_descending(caches_of({&node})))
        node.most.push_back(node.most.back() + size);
    sort_by_lowest(node.caches);
}

std::vector<Node> group_nodes(const std::vector<const Core*>& free) {
    std::vector<Node> nodes;
    const Candidate* previous = nullptr;
    const std::vector<Candidate> candidates = sorted_candidates(free);
    for (const Candidate& candidate : candidates) {
        const bool new_node = previous == nullptr || previous->numa != candidate.numa;
        if (new_node) nodes.emplace_back();
        std::vector<Cache>& caches = nodes.back().caches;
        if (new_node || previous->llc != candidate.llc) caches.emplace_back();
        caches.back().cores.push_back(candidate);
        previous = &candidate;
    }
    for (Node& node : nodes)
        finish(node);
    sort_by_lowest(nodes);
    return nodes;
}

/// The most cores that `groups` of the groups counted in `by_size` can give.
unsigned most_cores(const std::vector<unsigned>& by_size, unsigned groups) {
    unsigned cores = 0;
    for (std::size_t size = by_size.size(); size-- > 1 && groups > 0;) {
        const unsigned used = std::min(groups, by_size[size]);
        cores += used * static_cast<unsigned>(size);
        groups -= used;
    }
    return cores;
}

/// The fewest caches or nodes that hold `count` cores; takes each, in order, if it can be one of
/// them.
template <typename Group>
std::vector<const Group*> choose_fewest(const std::vector<const Group*>& groups, unsigned count) {
    const std::vector<unsigned> sizes = sizes_descending(groups);
    unsigned wanted = fewest(sizes, count);
    std::vector<unsigned> by_size(sizes.front() + 1, 0);
    for (const unsigned size : sizes)
        ++by_size[size];
    std::vector<const Group*> chosen;
    unsigned cores = 0;
    for (std::size_t i = 0; wanted > 0; ++i) {
        const unsigned size = groups[i]->size();
        --by_size[size];
        if (cores + size + most_cores(by_size, wanted - 1) < count) continue;
        chosen.push_back(groups[i]);
        cores += size;
        --wanted;
    }
    return chosen;
}

/// Chooses the NUMA nodes where it depends on their caches.
///
/// tail(i, k, c) is the most cores that k nodes and c caches can give, of the nodes from i on. With
/// it, whether a node can be part of a best choice is known without trying the others.
class NodeChoice {
public:
    NodeChoice(const Nodes& nodes, unsigned count);

    Nodes choose();

private:
    void fill_tail();
    std::vector<unsigned> with_node(const std::vector<unsigned>& head, const Node& node) const;
    bool is_enough(const std::vector<unsigned>& head, std::size_t next, unsigned nodes,
                   unsigned caches) const;

    std::size_t at(std::size_t node, unsigned nodes, unsigned caches) const {
        return (node * (node_count_ + 1) + nodes) * (cache_bound_ + 1) + caches;
    }

    const Nodes& nodes_;
    unsigned count_;
    unsigned node_count_ = 0;   // the fewest nodes that hold `count_` cores
    unsigned cache_bound_ = 0;  // so many caches suffice; fewer may
    std::vector<unsigned> tail_;
};

NodeChoice::NodeChoice(const Nodes& nodes, unsigned count) : nodes_(nodes), count_(count) {
    Nodes largest = nodes;
    std::sort(largest.begin(), largest.end(),
              [](const Node* a, const Node* b) { return a->size() > b->size(); });
    node_count_ = fewest(sizes_descending(largest), count);
    largest.resize(node_count_);
    cache_bound_ = fewest(sizes_descending(caches_of(largest)), count);
}

void NodeChoice::fill_tail() {
    tail_.assign(at(nodes_.size() + 1, 0, 0), 0);
    for (std::size_t i = nodes_.size(); i-- > 0;) {
        const std::vector<unsigned>& most = nodes_[i]->most;
        // At most i nodes are chosen before it: with fewer left to choose, no row is ever read.
        const unsigned least = node_count_ > i ? node_count_ - static_cast<unsigned>(i) : 1;
        for (unsigned nodes = least; nodes <= node_count_; ++nodes) {
            for (unsigned caches = 1; caches <= cache_bound_; ++caches) {
                unsigned best = tail_[at(i + 1, nodes, caches)];
                for (unsigned own = 1; own < most.size() && own <= caches; ++own)
                    best = std::max(best, most[own] + tail_[at(i + 1, nodes - 1, caches - own)]);
                tail_[at(i, nodes, caches)] = best;
            }
        }
    }
}

/// `head` is the most cores by number of caches; so is the result, with the node's caches too.
std::vector<unsigned> NodeChoice::with_node(const std::vector<unsigned>& head,
                                            const Node& node) const {
    std::vector<unsigned> with = head;
    for (unsigned caches = 1; caches <= cache_bound_; ++caches) {
        for (unsigned own = 1; own < node.most.size() && own <= caches; ++own)
            with[caches] = std::max(with[caches], head[caches - own] + node.most[own]);
    }
    return with;
}

bool NodeChoice::is_enough(const std::vector<unsigned>& head, std::size_t next, unsigned nodes,
                           unsigned caches) const {
    for (unsigned used = 0; used <= caches; ++used) {
        if (head[used] + tail_[at(next, nodes, caches - used)] >= count_) return true;
    }
    return false;
}

Nodes NodeChoice::choose() {
    if (node_count_ == nodes_.size()) return nodes_;
    fill_tail();
    unsigned caches = 1;
    while (tail_[at(0, node_count_, caches)] < count_)
        ++caches;
    Nodes chosen;
    std::vector<unsigned> head(cache_bound_ + 1, 0);
    for (std::size_t i = 0; chosen.size() < node_count_; ++i) {
        std::vector<unsigned> with = with_node(head, *nodes_[i]);
        const auto others = node_count_ - static_cast<unsigned>(chosen.size()) - 1;
        if (!is_enough(with, i + 1, others, caches)) continue;
        chosen.push_back(nodes_[i]);
        head = std::move(with);
    }
    return chosen;
}

/// Does every choice of the fewest nodes need as many caches? So it is where nodes have one cache
/// each, and where all caches give as many cores.
bool is_only_size_relevant(const Nodes& nodes) {
    const auto has_one_cache = [](const Node* node) { return node->caches.size() == 1; };
    if (std::all_of(nodes.begin(), nodes.end(), has_one_cache)) return true;
    const unsigned size = nodes.front()->caches.front().size();
    return std::all_of(nodes.begin(), nodes.end(), [&](const Node* node) {
        return std::all_of(node->caches.begin(), node->caches.end(),
                           [&](const Cache& cache) { return cache.size() == size; });
    });
}

Nodes choose_nodes(const Nodes& nodes, unsigned count) {
    if (is_only_size_relevant(nodes)) return choose_fewest(nodes, count);
    return NodeChoice(nodes, count).choose();
}

}  // namespace

CpuSet choose_cores(const std::vector<const Core*>& free, unsigned count) {
    const std::vector<Node> grouped = group_nodes(free);
    Nodes nodes;
    for (const Node& node : grouped)
        nodes.push_back(&node);
    Caches caches = caches_of(choose_nodes(nodes, count));
    std::sort(caches.begin(), caches.end(),
              [](const Cache* a, const Cache* b) { return a->lowest() < b->lowest(); });
    std::vector<Candidate> cores;
    for (const Cache* cache : choose_fewest(caches, count))
        cores.insert(cores.end(), cache->cores.begin(), cache->cores.end());
    std::sort(cores.begin(), cores.end(),
              [](const Candidate& a, const Candidate& b) { return a.lowest < b.lowest; });
    cores.resize(count);
    CpuSet cpus;
    for (const Candidate& candidate : cores)
        cpus |= candidate.core->cpus;
    return cpus;
}

}  // namespace cmk
