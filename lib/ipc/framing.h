// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cmk {

/// Cuts a byte stream into Varlink messages, which end with a NUL byte. Pure: feed it what was
/// read, take messages out.
class MessageBuffer {
public:
    /// `max`: the longest message in bytes, without its NUL.
    explicit MessageBuffer(std::size_t max) : max_(max) {}

    /// False when a message grows beyond the bound; the stream is then unusable.
    bool feed(std::string_view bytes);
    /// The next whole message, if there is one.
    std::optional<std::string> take();
    /// Would take() give one?
    bool has_message() const { return data_.find('\0', scanned_) <= max_; }
    /// Bytes of a message that has begun but not ended.
    bool has_partial() const { return !data_.empty(); }
    /// True when more is held than one message may have: take some before feeding on.
    bool is_full() const { return data_.size() > max_; }

private:
    std::size_t max_;
    std::string data_;
    std::size_t scanned_ = 0;  // no NUL before this
};

}  // namespace cmk
