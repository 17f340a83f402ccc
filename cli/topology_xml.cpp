// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "cli/topology_text.h"
#include "cli/topology_tree.h"

namespace cmk {

namespace {

constexpr char kBlanks[] = " \t\r\n";

/// "<object type="PU" .../>"
struct Tag {
    std::string_view name;  ///< "/object" for an end
    std::string_view attributes;
    bool is_empty = false;
};

Error bad_xml(const std::string& what) {
    return make_error(Errc::invalid_argument, "hwloc XML: " + what);
}

/// The value of an attribute, references left as they are; "" when it is not there.
std::string_view value_of(const Tag& tag, std::string_view name) {
    std::string_view rest = tag.attributes;
    for (;;) {
        const std::size_t equals = rest.find("=\"");
        if (equals == std::string_view::npos) return "";
        const std::string_view key = trim(rest.substr(0, equals));
        rest.remove_prefix(equals + 2);
        const std::size_t end = rest.find('"');
        if (end == std::string_view::npos) return "";
        if (key == name) return rest.substr(0, end);
        rest.remove_prefix(end + 1);
    }
}

/// Where a tag ends; a '>' inside quotes does not end it.
std::size_t end_of_tag(std::string_view text) {
    bool is_quoted = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '"') is_quoted = !is_quoted;
        if (text[at] == '>' && !is_quoted) return at;
    }
    return std::string_view::npos;
}

/// Takes the next tag; none at the end of the text. Declarations and comments are passed over.
Result<std::optional<Tag>> take_tag(std::string_view& text) {
    for (;;) {
        const std::size_t begin = text.find('<');
        if (begin == std::string_view::npos) return std::optional<Tag>();
        text.remove_prefix(begin + 1);
        const bool is_comment = text.substr(0, 3) == "!--";
        const std::size_t end = is_comment ? text.find("-->") : end_of_tag(text);
        if (end == std::string_view::npos) return bad_xml("a tag does not end");
        std::string_view inside = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (inside.empty() || inside.front() == '!' || inside.front() == '?') continue;
        Tag tag{.is_empty = inside.back() == '/'};
        if (tag.is_empty) inside.remove_suffix(1);
        tag.name = inside.substr(0, inside.find_first_of(kBlanks));
        tag.attributes = inside.substr(tag.name.size());
        return std::optional<Tag>(tag);
    }
}

/// hwloc's bitmaps: words of 32 bits, the highest first, a word of zeros sometimes empty.
Result<CpuSet> parse_bitmap(std::string_view text) {
    CpuSet set;
    const std::vector<std::string_view> words = split(text, ',');
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view word = words[words.size() - 1 - i];
        if (word.substr(0, 2) == "0x") word.remove_prefix(2);
        if (word.size() > 8) return bad_xml("no CPU set: " + quote(text));
        for (std::size_t nibble = 0; nibble < word.size(); ++nibble) {
            const char c = word[word.size() - 1 - nibble];
            const bool is_digit = c >= '0' && c <= '9';
            if (!is_digit && !(c >= 'a' && c <= 'f')) {
                return bad_xml("no CPU set: " + quote(text));
            }
            const unsigned value = static_cast<unsigned>(is_digit ? c - '0' : c - 'a' + 10);
            for (unsigned bit = 0; bit < 4; ++bit) {
                if ((value >> bit & 1U) == 0) continue;
                set.add(static_cast<unsigned>(i * 32 + nibble * 4) + bit);
            }
        }
    }
    return set;
}

/// CPUs of one kind, as on hybrid machines.
struct CpuKind {
    CpuSet cpus;
    std::string name;
};

class XmlReader {
public:
    Result<Topology> read(std::string_view text) {
        for (;;) {
            CMK_TRY_ASSIGN(const std::optional<Tag> tag, take_tag(text));
            if (!tag) break;
            CMK_TRY(take(*tag));
        }
        if (!is_topology_) return bad_xml("there is no <topology>");
        if (at_ != TreeObject::kNoParent) return bad_xml("an object does not end");
        CMK_TRY_ASSIGN(const Topology topology, topology_of(objects_));
        return with_kinds(topology);
    }

private:
    Status take(const Tag& tag) {
        if (tag.name == "topology") return take_topology(tag);
        if (tag.name == "object") return take_object(tag);
        if (tag.name == "cpukind") return take_kind(tag);
        if (tag.name == "/cpukind") in_kind_ = false;
        if (tag.name == "info" && in_kind_ && value_of(tag, "name") == "CoreType") {
            kinds_.back().name = value_of(tag, "value");
        }
        if (tag.name != "/object") return {};
        if (at_ == TreeObject::kNoParent) return bad_xml("an object ends that did not begin");
        at_ = objects_[at_].parent;
        return {};
    }

    Status take_topology(const Tag& tag) {
        is_topology_ = true;
        const std::string_view version = value_of(tag, "version");
        if (version.substr(0, 2) == "2.") return {};
        return bad_xml("its version is " + quote(version) + ", not 2; write it with hwloc 2");
    }

    Status take_object(const Tag& tag) {
        const std::string_view name = value_of(tag, "type");
        TreeObject object{.type = object_type_from(name), .parent = at_};
        if (object.type == ObjectType::data_cache) {
            object.cache_level = static_cast<unsigned>(name[1] - '0');
        }
        const std::string_view index = value_of(tag, "os_index");
        const auto number = parse_unsigned(index, UINT32_MAX);
        const bool is_numbered = object.type == ObjectType::pu || object.type == ObjectType::numa;
        if (is_numbered && !number) return bad_xml("an object without a number: " + quote(name));
        object.os_index = static_cast<unsigned>(number.value_or(0));
        if (!tag.is_empty) at_ = objects_.size();
        objects_.push_back(object);
        return {};
    }

    Status take_kind(const Tag& tag) {
        CMK_TRY_ASSIGN(CpuSet cpus, parse_bitmap(value_of(tag, "cpuset")));
        kinds_.push_back({std::move(cpus), "kind" + std::to_string(kinds_.size())});
        in_kind_ = !tag.is_empty;
        return {};
    }

    /// One kind alone tells nothing.
    Result<Topology> with_kinds(const Topology& topology) const {
        std::vector<CpuRecord> records = topology.records();
        for (CpuRecord& record : records) {
            const auto kind = std::find_if(kinds_.begin(), kinds_.end(), [&](const CpuKind& each) {
                return each.cpus.contains(record.cpu);
            });
            if (kinds_.size() > 1 && kind != kinds_.end()) record.kind = kind->name;
        }
        return Topology::from_records(std::move(records));
    }

    std::vector<TreeObject> objects_;
    std::size_t at_ = TreeObject::kNoParent;
    std::vector<CpuKind> kinds_;
    bool in_kind_ = false;
    bool is_topology_ = false;
};

}  // namespace

Result<Topology> parse_hwloc_xml(std::string_view text) {
    return XmlReader().read(text);
}

}  // namespace cmk
