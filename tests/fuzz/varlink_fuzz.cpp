// SPDX-License-Identifier: Apache-2.0
// The Varlink side: a byte stream is cut into messages, which are calls or replies of one type;
// what decodes must encode and decode to the same.
#include <algorithm>
#include <iterator>
#include <string>
#include <variant>

#include "base/text.h"
#include "fuzz/must.h"
#include "ipc/framing.h"
#include "ipc/wire.h"

namespace {

using namespace cmk;
using cmk::test::must;

/// What take() has to give: everything up to a NUL, until one is longer than the bound.
std::vector<std::string_view> expected_messages(std::string_view stream, std::size_t bound) {
    std::vector<std::string_view> messages = split(stream, '\0');
    messages.pop_back();  // it has no NUL yet
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (messages[i].size() > bound) messages.resize(i);
    }
    return messages;
}

std::vector<std::string> cut(std::string_view stream, std::size_t bound, std::size_t piece) {
    MessageBuffer buffer(bound);
    std::vector<std::string> messages;
    bool usable = true;
    while (usable && !stream.empty()) {
        usable = buffer.feed(stream.substr(0, piece));
        stream.remove_prefix(std::min(piece, stream.size()));
        while (auto message = buffer.take())
            messages.push_back(*std::move(message));
        must(!usable || piece > bound || !buffer.is_full(), "what is too long is noticed");
    }
    return messages;
}

void check_failure(const wire::Failure& failure) {
    const auto reply = wire::decode_reply<wire::Nothing>(wire::encode_failure(failure));
    must(!reply, "a failure is a reply that fails");
    must(reply.error().code == wire::to_error(failure).code, "a failure keeps its code");
}

void check_call(std::string_view text) {
    const auto decoded = wire::decode_call(text);
    if (const auto* failure = std::get_if<wire::Failure>(&decoded)) return check_failure(*failure);
    const std::string encoded = wire::encode(std::get<wire::Call>(decoded));
    const auto again = wire::decode_call(encoded);
    must(std::holds_alternative<wire::Call>(again), "an encoded call decodes");
    must(wire::encode(std::get<wire::Call>(again)) == encoded, "it decodes to the same call");
}

template <typename T>
void check_reply(std::string_view text) {
    const auto value = wire::decode_reply<T>(text);
    if (!value) return must(!value.error().message.empty(), "an error says what is wrong");
    const std::string encoded = wire::encode(*value);
    const auto again = wire::decode_reply<T>(encoded);
    must(again.has_value(), "an encoded reply decodes");
    must(wire::encode(*again) == encoded, "it decodes to the same reply");
}

void check_nothing(std::string_view text) {
    const auto nothing = wire::decode_reply<wire::Nothing>(text);
    must(nothing || !nothing.error().message.empty(), "an error says what is wrong");
}

/// One for each input, as trying all makes a run ten times slower.
constexpr void (*kChecks[])(std::string_view) = {check_call,
                                                 check_nothing,
                                                 check_reply<Grant>,
                                                 check_reply<std::vector<PoolReport>>,
                                                 check_reply<std::vector<Lease>>,
                                                 check_reply<HostReport>,
                                                 check_reply<ReconcileReport>,
                                                 check_reply<std::vector<LeaseVerdict>>,
                                                 check_reply<ReconfigureReport>,
                                                 check_reply<std::optional<Event>>};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    // The first two bytes: what the messages are, how long one may be, how much is read at once.
    const auto check = kChecks[data[0] / 16 % std::size(kChecks)];
    const std::size_t bound = std::size_t{16} << (data[0] % 16);
    const std::size_t piece = std::size_t{1} + data[1];
    const std::string_view stream = cmk::test::text_of(data + 2, size - 2);
    const std::vector<std::string> messages = cut(stream, bound, piece);
    const auto expected = expected_messages(stream, bound);
    must(std::equal(messages.begin(), messages.end(), expected.begin(), expected.end()),
         "messages do not depend on how their bytes come in");
    for (const std::string& message : messages)
        check(message);
    return 0;
}
