// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>

#include "io/link/link.h"

namespace nightshift::runtime {

/// What the supervisor hears from the learner: how far it has read and how many updates it owes.
///
/// Wall time, because a dead process does not move robot time. Thread: the supervisor's.
class LearnerEar {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  /// @param silence_max after so long without a status the learner counts as dead.
  LearnerEar(io::Subscriber learner, std::chrono::duration<double> silence_max, Instant now);

  /// Takes in the newest status; waits at most so long for one. What is not a status is ignored.
  void Hear(io::Wait wait);

  bool Dead(Instant now) const { return now - heard_ > silence_max_; }
  /// Is it alive and behind by more than this? Then practice that can wait should.
  bool Behind(double updates_max, Instant now) const { return !Dead(now) && backlog_updates_ > updates_max; }

  double backlog_updates() const { return backlog_updates_; }
  std::int64_t cursor() const { return cursor_; }

 private:
  io::Subscriber learner_;
  std::chrono::duration<double> silence_max_;
  Instant heard_;
  double backlog_updates_ = 0;
  std::int64_t cursor_ = 0;
};

}  // namespace nightshift::runtime
