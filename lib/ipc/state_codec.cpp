// SPDX-License-Identifier: Apache-2.0
#include "ipc/state_codec.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_codec.h"
#include "ipc/json_reader.h"

namespace cmk {

using nlohmann::json;

namespace {

Error corrupt(const std::string& why) {
    return make_error(Errc::corrupt_state, why);
}

std::string hex(std::uint64_t number) {
    std::string digits(16, '0');
    for (std::size_t i = 16; i-- > 0; number >>= 4)
        digits[i] = "0123456789abcdef"[number & 15];
    return digits;
}

std::string wrap(const char* kind, const json& body) {
    const std::string text = dump_line(body);
    return std::string("cmk-") + kind + " " + std::to_string(kStateVersion) + " " +
           hex(fnv1a(text)) + "\n" + text + "\n";
}

/// Only an undamaged file's version counts.
Status check_version(std::string_view word) {
    const auto version = parse_unsigned(word);
    if (!version || *version == 0 || std::to_string(*version) != word) {
        return corrupt("its format is " + quote(word) + ", which is no version");
    }
    if (*version + 1 >= kStateVersion && *version <= kStateVersion + 1) return {};
    return make_error(Errc::conflict, "its format is version " + std::to_string(*version) +
                                          ", this agent reads up to " +
                                          std::to_string(kStateVersion + 1));
}

/// Checks the first line and gives the body back.
Result<json> unwrap(const std::string& kind, std::string_view text) {
    const std::size_t line_end = text.find('\n');
    const auto words = split(text.substr(0, line_end), ' ');
    if (line_end == std::string_view::npos || words.size() != 3 || words[0] != "cmk-" + kind) {
        return corrupt("not a cmk-" + kind + " file: it starts with " + quote(text.substr(0, 24)));
    }
    std::string_view body = text.substr(line_end + 1);
    if (body.empty() || body.back() != '\n') return corrupt("it is truncated");
    body.remove_suffix(1);
    if (words[2] != hex(fnv1a(body))) return corrupt("its checksum does not match: it is damaged");
    CMK_TRY(check_version(words[1]));
    auto value = parse_object(body);
    if (!value) return corrupt(value.error().message);
    return value;
}

/// What a decoder refused is corrupt state here.
template <typename T>
Result<T> as_state(Result<T> result) {
    if (!result) result.error().code = Errc::corrupt_state;
    return result;
}

/// With all that the agent needs to take it up again.
json to_state_json(const Lease& lease) {
    json value = to_json(lease);
    value["start_time"] = lease.owner.start_time;
    if (!lease.place.path.empty()) value["place_path"] = lease.place.path;
    json masks = json::array();
    for (const ThreadMask& mask : lease.old_masks) {
        masks.push_back({{"tid", mask.tid}, {"cpus", mask.cpus.to_cpulist()}});
    }
    value["old_masks"] = std::move(masks);
    return value;
}

Result<Lease> lease_from_state(const json& value) {
    CMK_TRY_ASSIGN(Lease lease, lease_from(value));
    JsonReader reader(value);
    if (!is_safe_name(lease.id)) reader.fail("id", "is not usable as a file name");
    if (!is_safe_name(lease.pool)) reader.fail("pool", "is not usable as a file name");
    lease.owner.start_time = reader.number("start_time", UINT64_MAX);
    if (reader.has("place_path")) lease.place.path = reader.text("place_path");
    if (lease.place.path.empty() != (lease.place.kind == PlaceKind::pool)) {
        reader.fail("place_path", "does not fit the place");
    }
    const json* masks = reader.member("old_masks");
    if (masks == nullptr || !masks->is_array()) reader.fail("old_masks", "is missing");
    if (!reader.ok()) return reader.error();
    for (const json& entry : *masks) {
        JsonReader mask(entry);
        lease.old_masks.push_back(
            {static_cast<int>(mask.number("tid", kMaxPid)), mask.cpus("cpus")});
        if (!mask.ok()) return mask.error();
    }
    return lease;
}

Result<std::vector<Pool>> pools_from(const json& body) {
    const auto list = body.find("pools");
    if (list == body.end() || !list->is_array()) return corrupt("pools: is missing");
    std::vector<Pool> pools;
    for (const json& entry : *list) {
        CMK_TRY_ASSIGN(Pool pool, pool_from(entry));
        if (!is_safe_name(pool.spec.name)) return corrupt("name: is not usable as a file name");
        pools.push_back(std::move(pool));
    }
    return pools;
}

}  // namespace

std::string encode_lease_state(const Lease& lease) {
    return wrap("lease", to_state_json(lease));
}

Result<Lease> decode_lease_state(std::string_view text) {
    CMK_TRY_ASSIGN(const json body, unwrap("lease", text));
    return as_state(lease_from_state(body));
}

std::string encode_pools_state(const std::vector<Pool>& pools) {
    json list = json::array();
    for (const Pool& pool : pools)
        list.push_back(to_json(pool));
    return wrap("pools", {{"pools", std::move(list)}});
}

Result<std::vector<Pool>> decode_pools_state(std::string_view text) {
    CMK_TRY_ASSIGN(const json body, unwrap("pools", text));
    return as_state(pools_from(body));
}

}  // namespace cmk
