// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cli/usage.h"

namespace cmk {

namespace {

/// CLI11 writes every value as text here; numbers are converted afterwards, with our messages.
struct Slot {
    const Option* option;
    CLI::Option* parsed;
    std::string text;
};

bool takes_next_word(const Option& option) {
    return !std::holds_alternative<bool*>(option.target) &&
           !std::holds_alternative<FlagWithValue>(option.target);
}

bool has_name(const Option& option, std::string_view name) {
    const auto names = split(option.names, ',');
    return std::find(names.begin(), names.end(), name) != names.end();
}

void declare(CLI::App& app, Slot& slot) {
    const Option& option = *slot.option;
    slot.parsed = takes_next_word(option) ? app.add_option(option.names, slot.text)
                                          : app.add_flag(option.names, slot.text);
    if (std::holds_alternative<ListOption>(option.target)) {
        slot.parsed->take_all();
    } else {
        slot.parsed->take_last();
    }
}

Status store_number(const Option& option, const NumberOption& target, const std::string& text) {
    const auto number = parse_unsigned(text, target.max);
    if (!number || *number < target.min) {
        return make_error(Errc::invalid_argument, option.names + ": expected a whole number from " +
                                                      std::to_string(target.min) + " to " +
                                                      std::to_string(target.max) + ", not " +
                                                      quote(text));
    }
    *target.number = static_cast<unsigned>(*number);
    return {};
}

Status check_choice(const Option& option, const std::string& text) {
    const auto& choices = option.choices;
    if (choices.empty() || std::find(choices.begin(), choices.end(), text) != choices.end()) {
        return {};
    }
    return make_error(Errc::invalid_argument, long_name(option) + ": expected one of " +
                                                  join(choices, ", ") + ", not " + quote(text));
}

Status store(const Slot& slot) {
    const Option& option = *slot.option;
    if (slot.parsed->count() == 0) return {};
    CMK_TRY(check_choice(option, slot.text));
    if (const auto* list = std::get_if<ListOption>(&option.target)) {
        **list = slot.parsed->results();
        return {};
    }
    if (const auto* number = std::get_if<NumberOption>(&option.target)) {
        return store_number(option, *number, slot.text);
    }
    if (const auto* text = std::get_if<std::string*>(&option.target)) **text = slot.text;
    if (const auto* flag = std::get_if<bool*>(&option.target)) {
        if (slot.text != "true") {
            return make_error(Errc::invalid_argument, option.names + " takes no value");
        }
        **flag = true;
    }
    if (const auto* flag = std::get_if<FlagWithValue>(&option.target)) {
        *flag->value = slot.text == "true" ? "" : slot.text;
    }
    return {};
}

Error unknown_option(const Syntax& syntax, const std::string& word) {
    std::vector<std::string> known{"--help"};
    for (const Option& option : syntax.options) {
        for (const std::string_view name : split(option.names, ','))
            known.emplace_back(name);
    }
    const std::string meant = nearest(word.substr(0, word.find('=')), known);
    return make_error(
        Errc::invalid_argument,
        "unknown option " + quote(word) + (meant.empty() ? "" : "; did you mean " + meant + "?"));
}

Status store_words(const Syntax& syntax, std::vector<std::string> words) {
    if (words.empty() && syntax.words.required) {
        return make_error(Errc::invalid_argument, syntax.words.name + " is missing");
    }
    if (!words.empty() && syntax.words.words == nullptr) {
        return make_error(Errc::invalid_argument, "unexpected argument " + quote(words.front()) +
                                                      "; " + syntax.verb + " takes only options");
    }
    if (syntax.words.words != nullptr) *syntax.words.words = std::move(words);
    return {};
}

/// The words from `first` on; the "--" that may separate them from the options is not one.
std::vector<std::string> take_words(std::vector<std::string>& arguments, std::size_t first) {
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(first);
    std::vector<std::string> words(std::make_move_iterator(at),
                                   std::make_move_iterator(arguments.end()));
    arguments.erase(at, arguments.end());
    if (!arguments.empty() && arguments.back() == "--") arguments.pop_back();
    return words;
}

/// The one place that sees CLI11's exceptions. Returns true when the help was asked for.
Result<bool> run_parser(CLI::App& app, std::vector<std::string>& arguments) {
    std::reverse(arguments.begin(), arguments.end());
    try {
        app.parse(arguments);
        return false;
    } catch (const CLI::CallForHelp&) {
        return true;
    } catch (const CLI::ArgumentMismatch& problem) {
        const std::string what = problem.what();
        return make_error(Errc::invalid_argument,
                          what.substr(0, what.find(':')) + " needs a value");
    } catch (const std::exception& problem) {
        return make_error(Errc::invalid_argument, problem.what());
    }
}

/// Sorts what CLI11 did not take into words and slips.
Status take_extras(const Syntax& syntax, const CLI::App& app, std::vector<std::string> words) {
    std::vector<std::string> extras = app.remaining();
    for (const std::string& word : extras) {
        if (word.size() > 1 && word.front() == '-') return unknown_option(syntax, word);
    }
    extras.insert(extras.end(), words.begin(), words.end());
    return store_words(syntax, std::move(extras));
}

}  // namespace

std::string long_name(const Option& option) {
    return std::string(split(option.names, ',').back());
}

std::size_t count_leading_options(const std::vector<Option>& options,
                                  const std::vector<std::string>& arguments) {
    std::size_t at = 0;
    while (at < arguments.size()) {
        const std::string& word = arguments[at];
        if (word == "--") return at + 1;
        if (word.size() < 2 || word.front() != '-') return at;
        const bool with_value = std::any_of(options.begin(), options.end(), [&](const auto& each) {
            return takes_next_word(each) && has_name(each, word);
        });
        at += with_value ? 2 : 1;
    }
    return arguments.size();
}

Result<std::string> parse_arguments(const Syntax& syntax, std::vector<std::string> arguments) {
    // A program's words must never reach CLI11: options among them are the program's.
    const auto separator = std::find(arguments.begin(), arguments.end(), "--");
    const std::size_t first = syntax.words.is_program
                                  ? count_leading_options(syntax.options, arguments)
                              : separator == arguments.end()
                                  ? arguments.size()
                                  : static_cast<std::size_t>(separator - arguments.begin()) + 1;
    std::vector<std::string> words = take_words(arguments, first);

    CLI::App app;
    app.set_help_flag("-h,--help");
    app.allow_extras();
    std::vector<Slot> slots;
    slots.reserve(syntax.options.size());
    for (const Option& option : syntax.options) {
        slots.push_back({&option, nullptr, ""});
        declare(app, slots.back());
    }
    CMK_TRY_ASSIGN(const bool wants_help, run_parser(app, arguments));
    if (wants_help) return usage_of(syntax);
    for (const Slot& slot : slots)
        CMK_TRY(store(slot));
    CMK_TRY(take_extras(syntax, app, std::move(words)));
    return std::string();
}

}  // namespace cmk
