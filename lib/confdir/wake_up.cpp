// SPDX-License-Identifier: Apache-2.0
#include "confdir/wake_up.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <utility>

namespace cmk {

namespace {

/// A signal that finds the thread just before its system call is lost; the next one does not.
constexpr long kRepeatNanoseconds = 5'000'000;

int signal_number() {
    return SIGRTMAX;
}

void do_nothing(int) noexcept {}

/// Threads share the disposition: the first sets it, the last puts it back.
std::mutex disposition_mutex;
unsigned disposition_users = 0;
struct sigaction disposition_before;

void take_disposition() {
    const std::lock_guard guard(disposition_mutex);
    if (disposition_users++ > 0) return;
    struct sigaction action = {};
    action.sa_handler = do_nothing;  // without SA_RESTART
    ::sigaction(signal_number(), &action, &disposition_before);
}

void give_disposition_back() {
    const std::lock_guard guard(disposition_mutex);
    if (--disposition_users > 0) return;
    ::sigaction(signal_number(), &disposition_before, nullptr);
}

itimerspec schedule(std::chrono::steady_clock::time_point deadline) {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(  //
                           deadline.time_since_epoch())
                           .count();
    itimerspec spec = {};
    spec.it_value.tv_sec = static_cast<time_t>(since / 1'000'000'000);
    spec.it_value.tv_nsec = static_cast<long>(since % 1'000'000'000);
    spec.it_interval.tv_nsec = kRepeatNanoseconds;
    return spec;
}

}  // namespace

Result<WakeUp> WakeUp::at(std::chrono::steady_clock::time_point deadline) {
    WakeUp wake_up;
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal_number();
    event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
    // libstdc++'s steady clock is CLOCK_MONOTONIC.
    if (::timer_create(CLOCK_MONOTONIC, &event, &wake_up.timer_) < 0) {
        return errno_error(errno, "cannot make a timer");
    }
    take_disposition();
    sigset_t only = {};
    ::sigemptyset(&only);
    ::sigaddset(&only, signal_number());
    ::pthread_sigmask(SIG_UNBLOCK, &only, &wake_up.mask_);
    wake_up.armed_ = true;
    const itimerspec spec = schedule(deadline);
    if (::timer_settime(wake_up.timer_, TIMER_ABSTIME, &spec, nullptr) < 0) {
        return errno_error(errno, "cannot start a timer");
    }
    return wake_up;
}

WakeUp::WakeUp(WakeUp&& other) noexcept
    : armed_(std::exchange(other.armed_, false)), timer_(other.timer_), mask_(other.mask_) {}

WakeUp::~WakeUp() {
    if (!armed_) return;
    // What is still pending arrives with the return from this call, while it is harmless.
    ::timer_delete(timer_);
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    give_disposition_back();
}

}  // namespace cmk
