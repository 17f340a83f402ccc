// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "ipc/framing.h"
#include "ipc/names.h"
#include "ipc/wire.h"

namespace cmk {

/// A blocking connection to the agent's Varlink socket. When the agent ends before it has begun
/// with a call, the call is made again, to the next one.
class Client {
public:
    /// Errors: unavailable, naming the socket, why it cannot be reached and what to do.
    static Result<Client> connect(const std::string& socket);

    /// One call, one reply.
    template <typename Reply>
    Result<Reply> call(const wire::Method& method) {
        return ask<Reply>([&] { return wire::Call{.method = method}; }, -1);
    }

    /// Isolates the calling process: sends a pidfd of it along.
    Result<Grant> isolate(wire::Isolate request);

    /// Sends a call that is answered by a stream of replies.
    Status subscribe(const wire::Method& method);

    /// Sends a call whose reply receive() takes later.
    Status send_call(const wire::Method& method) { return send({.method = method}, -1); }

    /// The next reply.
    template <typename Reply>
    Result<Reply> receive() {
        CMK_TRY_ASSIGN(const std::string text, receive_text());
        return wire::decode_reply<Reply>(text);
    }

    /// A reply is here already: receive() will not have to wait for it.
    bool has_reply() const { return input_.has_message(); }

    /// Calls `tell` once, when an answer takes longer than three seconds.
    void on_silence(std::function<void()> tell) { tell_silence_ = std::move(tell); }

    int fd() const { return fd_.get(); }

private:
    Client(std::string socket, UniqueFd fd) : socket_(std::move(socket)), fd_(std::move(fd)) {}

    template <typename Reply, typename MakeCall>
    Result<Reply> ask(const MakeCall& make_call, int passed_fd) {
        for (unsigned left = kMaxRestarts;; --left) {
            CMK_TRY(send(make_call(), passed_fd));
            Result<Reply> reply = receive<Reply>();
            if (reply || reply.error().code != Errc::restarting || left == 0) return reply;
            CMK_TRY(reconnect());
        }
    }

    Status send(const wire::Call& call, int passed_fd);
    Status reconnect();
    void wait_for_answer();
    Result<std::string> receive_text();

    /// An agent that ends again and again is not waited for.
    static constexpr unsigned kMaxRestarts = 20;

    std::string socket_;
    UniqueFd fd_;
    bool cut_off_ = false;  ///< the agent closed before the whole call was sent
    MessageBuffer input_{kMaxReply};
    std::function<void()> tell_silence_;
};

}  // namespace cmk
