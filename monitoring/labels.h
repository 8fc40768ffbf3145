// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <mutex>
#include <set>
#include <string>

namespace nightshift::monitoring {

inline constexpr std::size_t kTaskLabelsMax = 32;    // Configured and recovery tasks; later ones are "other".
inline constexpr std::size_t kKindLabelsMax = 32;    // Kinds of failure.
inline constexpr std::size_t kReasonLabelsMax = 16;  // Reasons for an intervention, degraded modes.

/// Keeps a label's set of values bounded whatever comes: the first `max` are themselves, all others are "other".
/// Thread: any.
class BoundedLabel {
 public:
  explicit BoundedLabel(std::size_t max) : max_(max) {}
  std::string Value(const std::string& wanted);

 private:
  const std::size_t max_;
  std::mutex mutex_;  // Guards known_.
  std::set<std::string> known_;
};

}  // namespace nightshift::monitoring
