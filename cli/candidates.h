// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace cmk {

/// A word that could stand where the cursor is, and what it means.
struct Candidate {
    std::string word;
    std::string help;  ///< one line

    friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// Names that the agent knows; asked for only when they are wanted.
struct LiveNames {
    std::function<std::vector<Candidate>()> pools;
    std::function<std::vector<Candidate>()> leases;
};

/// What could come next.
struct Completion {
    /// What the shell has to look for itself.
    enum class Rest { none, files, programs };

    std::vector<Candidate> candidates = {};
    Rest rest = Rest::none;
};

/// Completes the last of `words`, which follow the program's name and may be "". The shell may cut
/// words at '=', as bash does ("--pool", "=", "ex"), or not; candidates are then for "ex", or for
/// the whole word. Verbs, options and values are those of the verbs' own syntax.
Completion complete_words(std::vector<std::string> words, const LiveNames& names);

}  // namespace cmk
