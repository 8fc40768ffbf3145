// SPDX-License-Identifier: Apache-2.0
#include "runtime/learner_ear.h"

#include <utility>

#include "io/wire/nightshift.pb.h"

namespace nightshift::runtime {

LearnerEar::LearnerEar(io::Subscriber learner, std::chrono::duration<double> silence_max, Instant now)
    : learner_(std::move(learner)), silence_max_(silence_max), heard_(now) {}

void LearnerEar::Hear(io::Wait wait) {
  const auto heard = learner_.Latest(wait);
  wire::LearnerStatus status;
  if (!heard || !status.ParseFromString(*heard)) return;
  backlog_updates_ = status.backlog();
  cursor_ = status.cursor();
  heard_ = std::chrono::steady_clock::now();
}

}  // namespace nightshift::runtime
