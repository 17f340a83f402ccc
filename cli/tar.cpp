// SPDX-License-Identifier: Apache-2.0
#include "cli/tar.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace cmk {

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameSize = 100;
constexpr std::size_t kPrefixSize = 155;
constexpr std::size_t kMaxContent = (std::size_t{1} << 33) - 1;  // 11 octal digits

// Where the header's fields begin.
constexpr std::size_t kMode = 100;
constexpr std::size_t kUid = 108;
constexpr std::size_t kGid = 116;
constexpr std::size_t kSize = 124;
constexpr std::size_t kTime = 136;
constexpr std::size_t kChecksum = 148;
constexpr std::size_t kType = 156;
constexpr std::size_t kMagic = 257;
constexpr std::size_t kUser = 265;
constexpr std::size_t kGroup = 297;
constexpr std::size_t kPrefix = 345;

std::string octal(std::uint64_t number, std::size_t digits) {
    std::string text(digits, '0');
    for (std::size_t at = digits; at > 0; number /= 8)
        text[--at] = static_cast<char>('0' + number % 8);
    return text;
}

void set(std::string& header, std::size_t at, std::string_view text) {
    std::copy(text.begin(), text.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Splits a long name at a slash into prefix and name.
Result<std::pair<std::string, std::string>> split_name(const std::string& name) {
    if (!name.empty() && name.size() <= kNameSize) return std::pair(std::string(), name);
    for (std::size_t at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1)) {
        if (at > kPrefixSize) break;
        if (name.size() - at - 1 <= kNameSize) {
            return std::pair(name.substr(0, at), name.substr(at + 1));
        }
    }
    return make_error(Errc::invalid_argument,
                      "no name for a file in a tar archive: " + quote(name));
}

void fill(std::string& out) {
    out.resize((out.size() + kBlock - 1) / kBlock * kBlock);
}

}  // namespace

Status TarArchive::add(const std::string& name, std::string_view content) {
    CMK_TRY_ASSIGN(const auto names, split_name(name));
    if (content.size() > kMaxContent) {
        return make_error(Errc::invalid_argument, quote(name) + " is too long for a tar archive");
    }
    std::string header(kBlock, '\0');
    set(header, 0, names.second);
    set(header, kMode, octal(0600, 7));
    set(header, kUid, octal(0, 7));
    set(header, kGid, octal(0, 7));
    set(header, kSize, octal(content.size(), 11));
    set(header, kTime, octal(static_cast<std::uint64_t>(std::max<std::int64_t>(time_, 0)), 11));
    set(header, kChecksum, "        ");
    set(header, kType, "0");
    set(header, kMagic, std::string_view("ustar\00000", 8));
    set(header, kUser, "root");
    set(header, kGroup, "root");
    set(header, kPrefix, names.first);
    std::uint64_t sum = 0;
    for (const char c : header)
        sum += static_cast<unsigned char>(c);
    set(header, kChecksum, octal(sum, 6) + std::string("\0 ", 2));
    out_ += header;
    out_ += content;
    fill(out_);
    return {};
}

std::string TarArchive::text() && {
    out_.append(2 * kBlock, '\0');
    return std::move(out_);
}

}  // namespace cmk
