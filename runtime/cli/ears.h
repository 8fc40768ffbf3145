// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "core/fault.h"
#include "io/link/link.h"
#include "io/wire/nightshift.pb.h"

namespace nightshift::runtime::cli {

/// What the processes last said. Absent: nothing within kSilentAfter.
struct Heard {
  std::optional<wire::SupervisorStatus> supervisor;
  std::optional<wire::SafetyStatus> safety;
  std::optional<wire::LearnerStatus> learner;
};

inline constexpr std::chrono::milliseconds kSilentAfter{5000};  // Wall time; observers expect a status every 0.5 s.

/// Listens to the states that the processes publish. They may come and go. Thread: one at a time.
class Ears {
 public:
  static core::Result<Ears> Connect(const io::Endpoints& endpoints);

  /// Takes in what has come, for at least `wait`.
  void Listen(std::chrono::milliseconds wait);

  const Heard& heard() const { return heard_; }

 private:
  using Wall = std::chrono::steady_clock;
  Ears(io::Subscriber supervisor, io::Subscriber safety, io::Subscriber learner);
  template <typename Status>
  static void Take(io::Subscriber& from, std::optional<Status>& into, Wall::time_point& at);

  io::Subscriber supervisor_, safety_, learner_;
  Wall::time_point supervisor_at_, safety_at_, learner_at_;
  Heard heard_;
};

/// One JSON object with what each process said ({"supervisor": {...} or null, "safety": ..., "learner": ...}), in the
/// field names of io/wire/nightshift.proto; 64-bit whole numbers are strings, as Protobuf's JSON has them.
std::string ToJson(const Heard& heard);

}  // namespace nightshift::runtime::cli
