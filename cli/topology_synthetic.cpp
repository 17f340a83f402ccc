// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/topology_text.h"
#include "cli/topology_tree.h"

namespace cmk {

namespace {

constexpr std::size_t kMaxLevels = 64;

/// One level: so many of a type in each of the level above.
struct Level {
    std::string name;
    ObjectType type = ObjectType::other;
    unsigned count = 1;
    bool has_node = false;  ///< "[numa]" follows it
};

Error bad_level(std::string_view word, const std::string& what) {
    return make_error(Errc::invalid_argument, "synthetic topology: " + quote(word) + ": " + what);
}

bool is_known(const std::string& name) {
    constexpr std::array<std::string_view, 6> kOthers{"machine", "group", "die",
                                                      "l1i",     "l2i",   "l3i"};
    return object_type_from(name) != ObjectType::other ||
           std::find(kOthers.begin(), kOthers.end(), name) != kOthers.end();
}

/// Takes the next word, attributes in parentheses left out; "" at the end.
Result<std::string> take_word(std::string_view& text) {
    text = trim(text);
    std::string word;
    std::size_t at = 0;
    for (; at < text.size() && text[at] != ' '; ++at) {
        if (text[at] != '(') {
            word += text[at];
            continue;
        }
        const std::size_t close = text.find(')', at);
        if (close == std::string_view::npos) return bad_level(text, "a ) is missing");
        if (text.substr(at, close - at).find("indexes=") != std::string_view::npos) {
            return bad_level(text, "indexes= is not understood; use an XML file");
        }
        at = close;
    }
    text.remove_prefix(at);
    return word;
}

Result<Level> parse_level(const std::string& word) {
    const std::size_t colon = word.find(':');
    if (colon == std::string::npos) return bad_level(word, "expected a type and a count, core:4");
    Level level{.name = word.substr(0, colon)};
    if (!is_known(level.name)) {
        return bad_level(word,
                         "expected one of machine, package, numa, die, group, l1 to l5, "
                         "core, pu");
    }
    level.type = object_type_from(level.name);
    const auto count = parse_unsigned(word.substr(colon + 1), kMaxCpus);
    if (!count || *count == 0) {
        return bad_level(word, "expected a count from 1 to " + std::to_string(kMaxCpus));
    }
    level.count = static_cast<unsigned>(*count);
    return level;
}

bool is_node(const std::string& word) {
    return word == "[numa]" || word == "[node]" || word == "[numanode]";
}

Status check_order(const std::vector<Level>& levels) {
    if (levels.back().type != ObjectType::pu) {
        return bad_level(levels.back().name, "the last level has to be pu");
    }
    std::size_t total = 1;
    for (const Level& level : levels) {
        total *= level.count;
        if (total > kMaxCpus) {
            return bad_level(level.name,
                             "these are more than " + std::to_string(kMaxCpus) + " in all");
        }
        const auto is_same = [&](const Level& other) { return other.name == level.name; };
        if (level.type != ObjectType::other &&
            std::count_if(levels.begin(), levels.end(), is_same) > 1) {
            return bad_level(level.name, "it is there twice");
        }
    }
    return {};
}

Result<std::vector<Level>> parse_levels(std::string_view text) {
    std::vector<Level> levels(1);  // the machine
    for (;;) {
        CMK_TRY_ASSIGN(const std::string word, take_word(text));
        if (word.empty()) break;
        if (is_node(word)) {
            levels.back().has_node = true;
            continue;
        }
        CMK_TRY_ASSIGN(Level level, parse_level(word));
        levels.push_back(std::move(level));
        if (levels.size() > kMaxLevels) return bad_level(word, "there are too many levels");
    }
    CMK_TRY(check_order(levels));
    return levels;
}

/// Builds the tree; numbers of a level's objects count over the whole machine.
class Builder {
public:
    explicit Builder(const std::vector<Level>& levels) : levels_(levels), next_(levels.size()) {}

    std::vector<TreeObject> build() {
        add(0, TreeObject::kNoParent);
        return std::move(objects_);
    }

private:
    void add(std::size_t depth, std::size_t parent) {
        const Level& level = levels_[depth];
        const std::size_t self = objects_.size();
        const bool is_numa = level.type == ObjectType::numa;
        objects_.push_back({.type = is_numa ? ObjectType::other : level.type,
                            .os_index = next_[depth]++,
                            .parent = parent});
        if (level.type == ObjectType::data_cache) {
            objects_.back().cache_level = static_cast<unsigned>(level.name[1] - '0');
        }
        for (unsigned i = 0; depth + 1 < levels_.size() && i < levels_[depth + 1].count; ++i)
            add(depth + 1, self);
        // After those of the levels below, as hwloc counts.
        if (is_numa || level.has_node) {
            objects_.push_back({.type = ObjectType::numa, .os_index = nodes_++, .parent = self});
        }
    }

    const std::vector<Level>& levels_;
    std::vector<unsigned> next_;
    unsigned nodes_ = 0;
    std::vector<TreeObject> objects_;
};

}  // namespace

Result<Topology> parse_synthetic(std::string_view text) {
    std::string small(text);
    for (char& c : small) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '\n' || c == '\t') c = ' ';
    }
    CMK_TRY_ASSIGN(const std::vector<Level> levels, parse_levels(small));
    return topology_of(Builder(levels).build());
}

}  // namespace cmk
