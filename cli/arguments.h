// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace cmk {

/// A whole number in a range; stays unset when the option is not given.
struct NumberOption {
    std::optional<unsigned>* number;
    unsigned min;
    unsigned max;
};

/// A flag that may carry a value ("--wait", "--wait=5"); "" when it carries none.
struct FlagWithValue {
    std::optional<std::string>* value;
};

/// Given again, an option of this kind adds a value; of the others the last one counts.
using ListOption = std::vector<std::string>*;

using OptionTarget = std::variant<bool*, std::string*, NumberOption, FlagWithValue, ListOption>;

/// One option and the variable that it sets.
struct Option {
    std::string names;  ///< "-o,--output"
    std::string value;  ///< what the help calls its value; "" for a flag
    std::string help;
    OptionTarget target;
    std::vector<std::string> choices = {};  ///< all values that there are; none: any
};

/// "--output" of "-o,--output".
std::string long_name(const Option& option);

/// What follows the options: words of the verb, or a program with its own arguments.
struct Words {
    std::string name;  ///< "LEASE..."; "" when the verb takes none
    std::string help;
    std::vector<std::string>* words = nullptr;
    bool required = false;
    /// The first word that is no option ends ours: all from there on is the program's.
    bool is_program = false;
};

/// The command line of one verb.
struct Syntax {
    std::string verb;
    std::string about;
    std::string examples;
    std::vector<Option> options;
    Words words = {};
};

/// Sets the options' variables from `arguments`. Returns the help text when it was asked for,
/// "" to go on. Errors: invalid_argument, naming the option and, for a slip, the one meant.
Result<std::string> parse_arguments(const Syntax& syntax, std::vector<std::string> arguments);

/// How many of `arguments` stand before the first word that is no option; "--" counts as one.
std::size_t count_leading_options(const std::vector<Option>& options,
                                  const std::vector<std::string>& arguments);

}  // namespace cmk
