// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace cmk {

/// All functions take a directory fd (or AT_FDCWD) and a path below it; errors are Errc::io and
/// name the path.

/// Whole content, at most `max` bytes (longer: Errc::invalid_argument).
Result<std::string> read_file_at(int dir, const std::string& path, std::size_t max = 1U << 20);

/// One write(2) into an existing file, as kernel control files need.
Status write_file_at(int dir, const std::string& path, std::string_view text);

/// Replaces the file by rename, so that a reader or a crash sees the old or the new text, never a
/// part. No fsync: what is kept this way ends with the boot.
Status replace_file_at(int dir, const std::string& path, std::string_view text,
                       unsigned mode = 0600);

Result<UniqueFd> open_dir_at(int dir, const std::string& path);

/// Opens the directory, making it (not its parents) where it is missing.
Result<UniqueFd> make_dir_at(int dir, const std::string& path, unsigned mode);

/// Names in a directory, sorted, without "." and "..".
Result<std::vector<std::string>> list_dir_at(int dir, const std::string& path);

}  // namespace cmk
