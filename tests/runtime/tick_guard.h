// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <functional>
#include <optional>
#include <span>

namespace nightshift::tests {

/// What a control tick must not do. Plain numbers: they lie in memory that two processes share.
struct Misdeeds {
  static constexpr int kNamed = 8;

  int allocations = 0;  // Of memory, and its return.
  int locks = 0;        // Taken or tried, however free.
  int system_calls = 0;
  std::array<int, kNamed> numbers{};  // Of the first system calls.

  bool none() const { return allocations == 0 && locks == 0 && system_calls == 0; }
};

/// Counts the calling thread's allocations and locks while it lives; system calls only of one that Forbid was called
/// in.
class TickGuard {
 public:
  explicit TickGuard(Misdeeds& misdeeds);
  ~TickGuard();
  TickGuard(const TickGuard&) = delete;
  TickGuard& operator=(const TickGuard&) = delete;
};

/// From now on the kernel carries out none of this thread's system calls but its end, those in `allowed`, and writes of
/// 8 bytes to `bells`; it tells of each other one, which fails. There is no way back: for a child process.
/// @return false if the kernel refuses.
bool ForbidSystemCalls(Misdeeds& misdeeds, std::span<const int> allowed, std::span<const int> bells);

/// Runs `work` in a child process that ends with it. Nothing if it did not come to its end.
/// @param results lies in memory that both share.
struct ChildResults {
  Misdeeds misdeeds;
  std::array<int, 32> seen{};  // What the work says of itself.
  bool done = false;
};
std::optional<ChildResults> InChild(const std::function<void(ChildResults&)>& work);

}  // namespace nightshift::tests
