// SPDX-License-Identifier: Apache-2.0
#include "ipc/framing.h"

namespace cmk {

bool MessageBuffer::feed(std::string_view bytes) {
    data_.append(bytes);
    const std::size_t end = data_.find('\0', scanned_);
    if (end == std::string::npos) {
        scanned_ = data_.size();
        return data_.size() <= max_;
    }
    scanned_ = end;
    return end <= max_;
}

std::optional<std::string> MessageBuffer::take() {
    const std::size_t end = data_.find('\0', scanned_);
    if (end == std::string::npos || end > max_) return std::nullopt;
    std::string message = data_.substr(0, end);
    data_.erase(0, end + 1);
    scanned_ = 0;
    return message;
}

}  // namespace cmk
