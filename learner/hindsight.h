// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "learner/experience.h"

namespace nightshift::learner {

/// What goals are, where a state is followed by one: the learner's state is (state, goal).
struct GoalSpace {
  int state = 0;   // Numbers of a state, goal apart.
  int action = 0;  // Each in [-1, 1].
  /// Of each number of a goal the number of a state that achieves it; none: a substituted goal keeps what was asked.
  std::vector<std::optional<int>> achieved_by;
  /// Whether a state is a success for a goal. Pure, and false for what is not finite.
  std::function<bool(std::span<const float> state, std::span<const float> goal)> reached;

  int goal() const { return static_cast<int>(achieved_by.size()); }
  Sizes sizes() const { return {.state = state + goal(), .action = action}; }
};

/// Hyper-parameters of hindsight. Shares are of drawn samples; what they leave keeps the goal that was asked for.
struct HindsightConfig {
  double future_share = 0.4;  // Goals that the same episode achieved later (Andrychowicz et al. 2017, "future").
  double other_share = 0.2;   // Goals asked for by episodes of another kind: forward for backward and the reverse.
  int n_step = 3;             // Rewards summed before the critic is asked: sparse rewards spread faster.
  double discount = 0.98;     // Per step: looks 50 steps ahead, a third of an attempt.
  double step_reward = -1;    // While the goal is not reached: with success at 0, values say how long it will take.
  double success_reward = 0;  // Of the step that reaches it; nothing follows.
  int future_draws_max = 4;   // A goal that holds already teaches nothing; so many others are tried in its place.
  std::size_t steps_max = 300000;  // Of all episodes; the oldest go first.
};

/// What happened from one start to one end, in pursuit of one goal.
struct GoalEpisode {
  std::vector<float> states;   // One after the other; one more than actions.
  std::vector<float> actions;  // One after the other.
  std::vector<float> goal;     // As asked.
  int kind = 0;                // Which task; goals of other kinds are what `other_share` borrows.
};

/// Hindsight experience replay (Andrychowicz et al., "Hindsight Experience Replay", 2017): episodes as they were, whose
/// goals are substituted and whose rewards are summed at the moment of drawing:
///
///   reward = sum over k < n of gamma^k * (success_reward where s_{t+k+1} reaches g, else step_reward)
///
/// ending with discount 0 at the first success. At the episode's end the value of its last state follows: a time limit
/// ends no episode for good. Deterministic given its contents and the dice. Thread: one at a time.
class Hindsight final : public Experience {
 public:
  Hindsight(const GoalSpace& space, const HindsightConfig& config);

  /// False (and counted) when it is empty, longer than steps_max, or holds a number that is not finite.
  bool Add(GoalEpisode episode);
  /// False when its sizes do not fit the space: for what comes from a file. Add does not take such an episode.
  bool Fits(const GoalEpisode& episode) const;

  std::size_t size() const override { return steps_; }  // Steps.
  void Draw(Dice& dice, Batch& batch, int row) const override;

  /// Oldest first. Adding all of them to an empty one gives one that draws the same.
  const std::deque<GoalEpisode>& episodes() const { return episodes_; }
  std::uint64_t overflowed() const { return overflowed_; }  // Steps.
  std::uint64_t refused() const { return refused_; }        // Episodes.
  void Clear();

 private:
  struct Place {
    std::size_t episode = 0, step = 0;
  };
  Place Find(std::size_t step) const;
  std::span<const float> StateOf(const GoalEpisode& episode, std::size_t step) const;
  std::size_t LengthOf(const GoalEpisode& episode) const;
  void ChooseGoal(Dice& dice, const Place& place) const;
  bool SubstituteFuture(Dice& dice, const Place& place) const;
  void SubstituteOther(Dice& dice, const GoalEpisode& episode) const;

  GoalSpace space_;
  HindsightConfig config_;
  std::deque<GoalEpisode> episodes_;
  std::deque<std::uint64_t> first_step_;  // Of each episode, counted since the beginning.
  std::uint64_t next_step_ = 0;
  std::size_t steps_ = 0;
  std::uint64_t overflowed_ = 0, refused_ = 0;
  // Scratch of Draw.
  mutable std::vector<float> goal_, before_, after_;
};

}  // namespace nightshift::learner
