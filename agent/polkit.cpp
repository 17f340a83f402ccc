// SPDX-License-Identifier: Apache-2.0
#include "agent/polkit.h"

#include <cstdio>

namespace cmk {

namespace {

/// Questions that are open at once; each may stay so for as long as a person takes.
constexpr std::size_t kMaxQuestions = 64;
constexpr std::uint64_t kTimeoutUs = 25'000'000;
constexpr std::uint64_t kPersonTimeoutUs = 120'000'000;
/// Source: polkit reference manual, org.freedesktop.PolicyKit1.Authority.
constexpr std::uint32_t kAllowUserInteraction = 1;

Error cannot_ask() {
    return make_error(Errc::unavailable, "polkit cannot be asked");
}

bool is_allowed(sd_bus_message* reply) {
    int allowed = 0;
    if (::sd_bus_message_is_method_error(reply, nullptr) > 0) return false;
    if (::sd_bus_message_enter_container(reply, SD_BUS_TYPE_STRUCT, "bba{ss}") <= 0) return false;
    return ::sd_bus_message_read_basic(reply, SD_BUS_TYPE_BOOLEAN, &allowed) > 0 && allowed != 0;
}

}  // namespace

Result<BusMessage> Polkit::make_question(sd_bus_message* call, const char* action) const {
    const char* sender = ::sd_bus_message_get_sender(call);
    if (sender == nullptr) return cannot_ask();  // there is no bus daemon, so no polkit
    const bool person = ::sd_bus_message_get_allow_interactive_authorization(call) > 0;
    sd_bus_message* raw = nullptr;
    int done = ::sd_bus_message_new_method_call(
        bus_, &raw, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
        "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
    BusMessage question(raw);
    if (done >= 0) {
        done = ::sd_bus_message_append(raw, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                                       sender, action, 0, person ? kAllowUserInteraction : 0U, "");
    }
    if (done < 0) return cannot_ask();
    return question;
}

Status Polkit::ask(sd_bus_message* call, const char* action, Answer answer) {
    if (questions_.size() >= kMaxQuestions) {
        return make_error(Errc::too_many, "too many requests wait for polkit; try again later");
    }
    CMK_TRY_ASSIGN(const BusMessage question, make_question(call, action));
    const bool person = ::sd_bus_message_get_allow_interactive_authorization(call) > 0;
    questions_.push_back({.polkit = this, .answer = std::move(answer)});
    Question& added = questions_.back();
    added.self = std::prev(questions_.end());
    sd_bus_slot* slot = nullptr;
    const int sent = ::sd_bus_call_async(bus_, &slot, question.get(), on_reply, &added,
                                         person ? kPersonTimeoutUs : kTimeoutUs);
    added.slot.reset(slot);
    if (sent >= 0) return {};
    questions_.pop_back();
    return cannot_ask();
}

int Polkit::on_reply(sd_bus_message* reply, void* userdata, sd_bus_error*) noexcept {
    auto* question = static_cast<Question*>(userdata);
    const bool allowed = is_allowed(reply);
    try {
        const Answer answer = std::move(question->answer);
        question->polkit->questions_.erase(question->self);
        answer(allowed);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "ERROR polkit's answer was not handled: %s\n", problem.what());
    }
    return 0;
}

}  // namespace cmk
