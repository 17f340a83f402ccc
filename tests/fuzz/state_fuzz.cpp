// SPDX-License-Identifier: Apache-2.0
// State files: what decodes encodes and decodes equal; what is damaged is refused.
#include <cinttypes>
#include <string>

#include "base/text.h"
#include "fuzz/must.h"
#include "ipc/state_codec.h"

namespace {

using namespace cmk;
using cmk::test::must;

/// A file whose checksum is right, so that any body gets to the decoder.
std::string with_header(const char* kind, std::string_view body) {
    char line[64];
    std::snprintf(line, sizeof line, "cmk-%s 1 %016" PRIx64 "\n", kind, fnv1a(body));
    return line + std::string(body) + "\n";
}

void check_refused(const Error& error) {
    must(error.code == Errc::corrupt_state || error.code == Errc::conflict,
         "what does not decode is corrupt state, or of another version");
    must(!error.message.empty(), "an error says what is wrong");
}

/// No shorter file and none with another byte may pass. `where` chooses which to try.
template <typename Value>
void check_damage(const std::string& text, std::size_t where,
                  Result<Value> (*decode)(std::string_view)) {
    where %= text.size();
    must(!decode(text.substr(0, where)), "a truncated file is refused");
    std::string damaged = text;
    damaged[where] = static_cast<char>(damaged[where] ^ 1);
    must(!decode(damaged), "a damaged file is refused");
}

template <typename Value>
void check(std::string_view text, std::string (*encode)(const Value&),
           Result<Value> (*decode)(std::string_view)) {
    const auto value = decode(text);
    if (!value) return check_refused(value.error());
    const std::string encoded = encode(*value);
    const auto again = decode(encoded);
    must(again && *again == *value, "what decodes encodes and decodes equal");
    must(encode(*again) == encoded, "it is encoded the same again");
    check_damage(encoded, fnv1a(text), decode);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = cmk::test::text_of(data, size);
    check(text, encode_lease_state, decode_lease_state);
    check(text, encode_pools_state, decode_pools_state);
    check(with_header("lease", text), encode_lease_state, decode_lease_state);
    check(with_header("pools", text), encode_pools_state, decode_pools_state);
    return 0;
}
