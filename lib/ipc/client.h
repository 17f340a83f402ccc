// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "ipc/framing.h"
#include "ipc/names.h"
#include "ipc/wire.h"

namespace cmk {

/// A blocking connection to the agent's Varlink socket.
class Client {
public:
    /// Errors: unavailable, naming the socket, why it cannot be reached and what to do.
    static Result<Client> connect(const std::string& socket);

    /// One call, one reply.
    template <typename Reply>
    Result<Reply> call(const wire::Method& method) {
        CMK_TRY(send(wire::Call{.method = method}, -1));
        return receive<Reply>();
    }

    /// Isolates the calling process: sends a pidfd of it along.
    Result<Grant> isolate(wire::Isolate request);

    /// Sends a call that is answered by a stream of replies.
    Status subscribe(const wire::Method& method);

    /// The next reply.
    template <typename Reply>
    Result<Reply> receive() {
        CMK_TRY_ASSIGN(const std::string text, receive_text());
        return wire::decode_reply<Reply>(text);
    }

    int fd() const { return fd_.get(); }

private:
    explicit Client(UniqueFd fd) : fd_(std::move(fd)) {}
    Status send(const wire::Call& call, int passed_fd);
    Result<std::string> receive_text();

    UniqueFd fd_;
    MessageBuffer input_{kMaxReply};
};

}  // namespace cmk
