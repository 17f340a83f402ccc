// SPDX-License-Identifier: Apache-2.0
#include "base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace cmk {
namespace {

int open_null() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(UniqueFd, closes_at_the_end_of_its_life) {
    int fd = -1;
    {
        const UniqueFd owner(open_null());
        fd = owner.get();
        ASSERT_TRUE(owner);
        EXPECT_TRUE(is_open(fd));
    }
    EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, is_empty_by_default_and_after_release) {
    EXPECT_FALSE(UniqueFd());
    UniqueFd owner(open_null());
    const int fd = owner.release();
    EXPECT_FALSE(owner);
    EXPECT_TRUE(is_open(fd));
    ::close(fd);
}

TEST(UniqueFd, moving_hands_over_and_closes_what_was_there) {
    UniqueFd first(open_null());
    UniqueFd second(open_null());
    const int kept = first.get();
    const int closed = second.get();
    second = std::move(first);
    EXPECT_EQ(second.get(), kept);
    EXPECT_FALSE(is_open(closed));
    const UniqueFd third(std::move(second));
    EXPECT_TRUE(is_open(kept));
    EXPECT_EQ(third.get(), kept);
}

TEST(UniqueFd, reset_to_the_same_number_keeps_it_open) {
    UniqueFd owner(open_null());
    owner.reset(owner.get());
    EXPECT_TRUE(is_open(owner.get()));
    const int fd = owner.get();
    owner.reset();
    EXPECT_FALSE(is_open(fd));
}

}  // namespace
}  // namespace cmk
