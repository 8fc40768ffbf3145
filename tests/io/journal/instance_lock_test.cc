// SPDX-License-Identifier: Apache-2.0
#include "io/journal/instance_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

namespace nightshift::io {
namespace {

using core::FaultCode;
using testing::HasSubstr;

class InstanceLockTest : public testing::Test {
 protected:
  InstanceLockTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nightshift-lock-XXXXXX").string();
    data_ = mkdtemp(pattern.data());
  }
  ~InstanceLockTest() override { std::filesystem::remove_all(data_); }
  std::filesystem::path data_;
};

TEST_F(InstanceLockTest, OneOfANameAtATime) {
  std::optional first = InstanceLock::Acquire(data_, "learner");
  ASSERT_TRUE(*first);
  const auto second = InstanceLock::Acquire(data_, "learner");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, FaultCode::kAlreadyRunning);
  EXPECT_THAT(second.error().detail, HasSubstr("process " + std::to_string(getpid())));
  EXPECT_THAT(second.error().detail, HasSubstr("--data"));
  EXPECT_TRUE(InstanceLock::Acquire(data_, "supervisor")) << "another name is another lock";
  first.reset();
  EXPECT_TRUE(InstanceLock::Acquire(data_, "learner"));
}

TEST_F(InstanceLockTest, AProcessThatWasKilledHoldsNothing) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = InstanceLock::Acquire(data_, "learner");
    const char said = lock ? 'y' : 'n';
    if (write(ready[1], &said, 1) != 1) _exit(1);
    for (;;) pause();
  }
  char said = 0;
  ASSERT_EQ(read(ready[0], &said, 1), 1);
  ASSERT_EQ(said, 'y');
  EXPECT_THAT(InstanceLock::Acquire(data_, "learner").error().detail, HasSubstr(std::to_string(child)));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(InstanceLock::Acquire(data_, "learner"));
  close(ready[0]);
  close(ready[1]);
}

TEST_F(InstanceLockTest, ADirectoryThatCannotBeWrittenIsNamed) {
  const auto refused = InstanceLock::Acquire("/proc/nightshift", "learner");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, FaultCode::kIoFailed);
  EXPECT_THAT(refused.error().detail, HasSubstr("/proc/nightshift/learner.lock"));
}

}  // namespace
}  // namespace nightshift::io
