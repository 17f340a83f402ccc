// SPDX-License-Identifier: Apache-2.0
#include "k8s/server_version.h"

#include <algorithm>

#include "base/text.h"

namespace cmk::k8s {

namespace {

constexpr unsigned kMaxNumber = 100'000;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

Result<ServerVersion> parse_server_version(std::string_view text) {
    std::string_view rest = trim(text);
    if (!rest.empty() && rest.front() == 'v') rest.remove_prefix(1);
    const auto end =
        std::find_if(rest.begin(), rest.end(), [](char c) { return !is_digit(c) && c != '.'; });
    rest = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    ServerVersion version;
    unsigned* const parts[] = {&version.major, &version.minor, &version.patch};
    std::size_t count = 0;
    for (const std::string_view piece : split(rest, '.')) {
        const auto number = parse_unsigned(piece, kMaxNumber);
        if (!number || count == 3) break;
        *parts[count++] = static_cast<unsigned>(*number);
    }
    if (count == 0) {
        return make_error(Errc::invalid_argument,
                          "the server's version " + quote(text) + " has no digits");
    }
    return version;
}

std::string to_text(const ServerVersion& version) {
    return std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
           std::to_string(version.patch);
}

Result<ServerRules> rules_for(const ServerVersion& version) {
    if (version == ServerVersion{1, 8, 0}) {
        return make_error(Errc::invalid_argument,
                          "Kubernetes 1.8.0 is not supported: it cannot create extended resources; "
                          "use 1.8.1 or later");
    }
    if (version < ServerVersion{1, 5, 0}) {
        return make_error(Errc::invalid_argument,
                          "Kubernetes " + to_text(version) + " is not supported; use 1.5 or later");
    }
    const bool from_1_16 = version >= ServerVersion{1, 16, 0};
    return ServerRules{.opaque_resource = version < ServerVersion{1, 8, 0},
                       .taint_annotation = version < ServerVersion{1, 7, 0},
                       .third_party_reports = version < ServerVersion{1, 7, 0},
                       .crd_v1 = from_1_16,
                       .bookmarks = from_1_16,
                       .metadata_answers = from_1_16};
}

}  // namespace cmk::k8s
