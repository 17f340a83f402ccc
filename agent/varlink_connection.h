// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/peer.h"
#include "agent/sd_loop.h"
#include "agent/wait_queue.h"
#include "ipc/framing.h"
#include "ipc/names.h"

namespace cmk {

/// One client of the Varlink socket: its bytes and descriptors in, its replies out. Knows nothing
/// of what the messages mean.
class VarlinkConnection {
public:
    enum class State { open, closed };

    VarlinkConnection(UniqueFd fd, Peer who, std::uint64_t until)
        : deadline(until), peer(std::move(who)), fd_(std::move(fd)) {}

    /// Reads once what is there. closed: end of stream, an error, or a message beyond the bound.
    State receive();
    /// Queues a message and sends what the socket takes. closed: the client does not read.
    State send(const std::string& message);
    State flush();

    std::optional<std::string> take_message() { return input_.take(); }
    /// Descriptors that came with the messages so far.
    std::vector<UniqueFd> take_fds() { return std::move(fds_); }
    bool has_output() const { return !output_.empty(); }
    bool has_partial() const { return input_.has_partial(); }
    /// While it waits for its answer, it may not pile up further requests.
    bool reads() const { return !half_closed && (ticket == 0 || !input_.is_full()); }
    /// Has it begun a request, or is it yet to make its first?
    bool expects_answer() const;
    /// Why receive() closed, where the client can still be told.
    bool too_long() const { return too_long_; }
    int fd() const { return fd_.get(); }

    std::uint64_t
        deadline;  ///< monotonic microseconds until which a request must be whole; 0: none
    Peer peer;
    Ticket ticket = 0;  ///< the isolate request it waits for
    bool monitoring = false;
    bool dropped = false;      ///< closed, and about to be destroyed
    bool half_closed = false;  ///< the client sends no more, but may read its replies
    SourceHandle source = {};

private:
    void collect_fds(msghdr& message);

    UniqueFd fd_;
    MessageBuffer input_{kMaxRequest};
    std::string output_;
    std::vector<UniqueFd> fds_;
    bool too_long_ = false;
};

}  // namespace cmk
