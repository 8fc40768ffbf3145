// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

#include "learner/episode.h"

namespace nightshift::learner {

/// Finished episodes of a learned policy that nothing was learned from, with the returns that followed each step: what
/// the critics are measured against. Thread: one at a time.
class HeldOut {
 public:
  static constexpr std::size_t kEpisodesMax = 40;  // The latest: older ones were another policy's.

  /// One episode in `every`, by its id alone, so that the same ones are held out when the journal is read again.
  /// 0: none; neither is an episode without an id.
  static bool Takes(std::int64_t episode, int every) {
    if (every <= 0 || episode <= 0) return false;
    return static_cast<std::uint64_t>(episode) * 0x9e3779b97f4a7c15u >> 32 < (std::uint64_t{1} << 32) / every;
  }

  /// The segment must truly have ended: what follows a cut is not known.
  void Add(const Segment& segment, double discount) {
    Episode episode(segment.steps.size());
    double following = 0;
    for (std::size_t i = segment.steps.size(); i-- > 0;) {
      following = static_cast<double>(segment.steps[i].reward) + discount * following;
      episode[i] = {segment.steps[i].before, segment.steps[i].action, static_cast<float>(following)};
    }
    episodes_.push_back(std::move(episode));
    if (episodes_.size() > kEpisodesMax) episodes_.pop_front();
  }

  struct Step {
    skills::Features before{};
    core::PolicyAction action{};
    float following = 0;  // Discounted sum of rewards from here on.
  };
  std::size_t episodes() const { return episodes_.size(); }
  /// At most so many steps, spread evenly over all.
  std::vector<Step> Steps(std::size_t most) const {
    std::vector<Step> all, some;
    for (const Episode& episode : episodes_) all.insert(all.end(), episode.begin(), episode.end());
    if (all.size() <= most) return all;
    for (std::size_t i = 0; i < most; ++i) some.push_back(all[i * all.size() / most]);
    return some;
  }

 private:
  using Episode = std::vector<Step>;
  std::deque<Episode> episodes_;
};

}  // namespace nightshift::learner
