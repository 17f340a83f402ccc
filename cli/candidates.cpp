// SPDX-License-Identifier: Apache-2.0
#include "cli/candidates.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "cli/session.h"
#include "cli/verbs.h"

namespace cmk {

namespace {

bool begins_with(std::string_view text, std::string_view head) {
    return text.substr(0, head.size()) == head;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

bool is_flag(const Option& option) {
    return std::holds_alternative<bool*>(option.target) ||
           std::holds_alternative<FlagWithValue>(option.target);
}

const Option* find_option(const std::vector<Option>& options, std::string_view name) {
    const auto at = std::find_if(options.begin(), options.end(), [&](const Option& option) {
        const auto names = split(option.names, ',');
        return std::find(names.begin(), names.end(), name) != names.end();
    });
    return at == options.end() ? nullptr : &*at;
}

class Completer {
public:
    Completer(std::vector<std::string> words, const LiveNames& names)
        : names_(names), current_(std::move(words.back())) {
        words.pop_back();
        words_ = std::move(words);
    }

    Completion complete() {
        CommonOptions common;
        const std::vector<Option> options = common_options(common);
        const std::size_t at = count_leading_options(options, words_);
        if (at < words_.size()) return complete_verb(words_[at], at + 1);
        if (const Option* option = awaiting_value(options, 0)) {
            offer_value(*option);
        } else if (!offer_attached_value(options)) {
            offer_verbs();
            offer("help", "show the help of a verb");
            if (begins_with(current_, "-")) offer_options(options);
            if (begins_with(current_, "-")) offer("--version", "show the version");
        }
        return std::move(found_);
    }

private:
    void offer(const std::string& word, const std::string& help) {
        if (begins_with(word, current_)) found_.candidates.push_back({prefix_ + word, help});
    }

    void offer_verbs() {
        for (const Verb& verb : verbs())
            offer(verb.name, verb.help);
    }

    void offer_options(const std::vector<Option>& options) {
        for (const Option& option : options) {
            for (const std::string_view name : split(option.names, ','))
                offer(std::string(name), first_line(option.help));
        }
        offer("--help", "show the help");
    }

    void offer_all(const std::vector<Candidate>& candidates) {
        for (const Candidate& candidate : candidates)
            offer(candidate.word, candidate.help);
    }

    void offer_value(const Option& option) {
        for (const std::string& choice : option.choices)
            offer(choice, "");
        offer_named(option.value);
    }

    /// By what the help calls it.
    void offer_named(const std::string& value) {
        if (value == "POOL") offer_all(names_.pools());
        if (value == "LEASE" || value == "LEASE...") offer_all(names_.leases());
        const bool is_file =
            value == "PATH" || value == "FILE" || value == "DIR" || value == "TOPOLOGY";
        if (is_file) found_.rest = Completion::Rest::files;
    }

    /// The option of which the current word is the value, when the words from `first` on say so.
    const Option* awaiting_value(const std::vector<Option>& options, std::size_t first) const {
        if (words_.size() <= first) return nullptr;
        const Option* option = find_option(options, words_.back());
        return option != nullptr && !is_flag(*option) ? option : nullptr;
    }

    /// "--pool=ex". True when the current word is such.
    bool offer_attached_value(const std::vector<Option>& options) {
        const std::size_t equals = current_.find('=');
        if (!begins_with(current_, "-") || equals == std::string::npos) return false;
        const Option* option = find_option(options, current_.substr(0, equals));
        prefix_ = current_.substr(0, equals + 1);
        current_.erase(0, equals + 1);
        if (option != nullptr) offer_value(*option);
        return true;
    }

    Completion complete_verb(const std::string& name, std::size_t first) {
        if (name == "help") {
            if (words_.size() == first) offer_verbs();
            return std::move(found_);
        }
        const auto verb = std::find_if(verbs().begin(), verbs().end(),
                                       [&](const Verb& each) { return name == each.name; });
        if (verb == verbs().end()) return {};
        const Syntax syntax = syntax_of(verb->run);
        const std::vector<std::string> given(words_.begin() + static_cast<std::ptrdiff_t>(first),
                                             words_.end());
        const std::size_t options = count_leading_options(syntax.options, given);
        const bool has_separator = std::find(given.begin(), given.end(), "--") != given.end();
        if (syntax.words.is_program && options < given.size()) {
            found_.rest = Completion::Rest::files;
        } else if (has_separator) {
            offer_words(syntax.words);
        } else if (const Option* option = awaiting_value(syntax.options, first)) {
            offer_value(*option);
        } else if (!offer_attached_value(syntax.options)) {
            const bool wants_option = begins_with(current_, "-") || syntax.words.name.empty();
            wants_option ? offer_options(syntax.options) : offer_words(syntax.words);
        }
        return std::move(found_);
    }

    void offer_words(const Words& words) {
        if (words.is_program) {
            found_.rest = Completion::Rest::programs;
        } else {
            offer_named(words.name);
        }
    }

    const LiveNames& names_;
    std::vector<std::string> words_;  ///< before the current one
    std::string current_;
    std::string prefix_;  ///< what stands before the value in the same word
    Completion found_;
};

/// As if the shell had not cut at '='.
std::vector<std::string> rejoin(std::vector<std::string> words) {
    if (words.empty()) words.emplace_back();
    // "--pool =": the value begins after it.
    if (words.back() == "=") words.emplace_back();
    words.erase(std::remove(words.begin(), words.end() - 1, "="), words.end() - 1);
    return words;
}

}  // namespace

Completion complete_words(std::vector<std::string> words, const LiveNames& names) {
    return Completer(rejoin(std::move(words)), names).complete();
}

}  // namespace cmk
