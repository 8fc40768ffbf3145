// SPDX-License-Identifier: Apache-2.0
#include "learner/hindsight.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/check.h"

namespace nightshift::learner {

namespace {

constexpr int kOtherDrawsMax = 8;  // Half of all episodes are of another kind: more are hardly ever needed.

std::size_t At(int i) { return static_cast<std::size_t>(i); }

bool Finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

Hindsight::Hindsight(const GoalSpace& space, const HindsightConfig& config) : space_(space), config_(config) {
  NIGHTSHIFT_CHECK(space.state > 0 && space.action > 0 && space.reached != nullptr);
  for (const auto& from : space.achieved_by) NIGHTSHIFT_CHECK(!from || (*from >= 0 && *from < space.state));
  NIGHTSHIFT_CHECK(config.n_step > 0 && config.steps_max > 0);
}

std::size_t Hindsight::LengthOf(const GoalEpisode& episode) const { return episode.actions.size() / At(space_.action); }

std::span<const float> Hindsight::StateOf(const GoalEpisode& episode, std::size_t step) const {
  return std::span(episode.states).subspan(step * At(space_.state), At(space_.state));
}

bool Hindsight::Fits(const GoalEpisode& episode) const {
  return episode.actions.size() % At(space_.action) == 0 &&
         episode.states.size() == (LengthOf(episode) + 1) * At(space_.state) &&
         episode.goal.size() == At(space_.goal());
}

bool Hindsight::Add(GoalEpisode episode) {
  NIGHTSHIFT_CHECK(Fits(episode));
  const std::size_t length = LengthOf(episode);
  if (length == 0 || length > config_.steps_max || !Finite(episode.states) || !Finite(episode.actions) ||
      !Finite(episode.goal)) {
    ++refused_;
    return false;
  }
  while (steps_ + length > config_.steps_max) {
    const std::size_t oldest = LengthOf(episodes_.front());
    steps_ -= oldest;
    overflowed_ += oldest;
    episodes_.pop_front();
    first_step_.pop_front();
  }
  first_step_.push_back(next_step_);
  next_step_ += length;
  steps_ += length;
  episodes_.push_back(std::move(episode));
  return true;
}

void Hindsight::Clear() {
  episodes_.clear();
  first_step_.clear();
  steps_ = 0;
}

Hindsight::Place Hindsight::Find(std::size_t step) const {
  const std::uint64_t wanted = first_step_.front() + step;
  const auto after = std::upper_bound(first_step_.begin(), first_step_.end(), wanted);
  const auto episode = static_cast<std::size_t>(after - first_step_.begin()) - 1;
  return {episode, static_cast<std::size_t>(wanted - first_step_[episode])};
}

/// Leaves in goal_ what the sample is about.
void Hindsight::ChooseGoal(Dice& dice, const Place& place) const {
  const GoalEpisode& episode = episodes_[place.episode];
  goal_ = episode.goal;
  const double u = dice.Unit();
  if (u < config_.future_share) {
    if (!SubstituteFuture(dice, place)) goal_ = episode.goal;
  } else if (u < config_.future_share + config_.other_share) {
    SubstituteOther(dice, episode);
  }
}

bool Hindsight::SubstituteFuture(Dice& dice, const Place& place) const {
  const GoalEpisode& episode = episodes_[place.episode];
  const std::size_t left = LengthOf(episode) - place.step;
  for (int draw = 0; draw < config_.future_draws_max; ++draw) {
    const auto achieved = StateOf(episode, place.step + 1 + dice.Index(left));
    for (std::size_t i = 0; i < goal_.size(); ++i)
      if (const auto from = space_.achieved_by[i]) goal_[i] = achieved[At(*from)];
    if (!space_.reached(StateOf(episode, place.step), goal_)) return true;
  }
  return false;
}

void Hindsight::SubstituteOther(Dice& dice, const GoalEpisode& episode) const {
  for (int draw = 0; draw < kOtherDrawsMax; ++draw) {
    const GoalEpisode& other = episodes_[dice.Index(episodes_.size())];
    if (other.kind == episode.kind) continue;
    goal_ = other.goal;
    return;
  }
}

void Hindsight::Draw(Dice& dice, Batch& batch, int row) const {
  NIGHTSHIFT_CHECK(steps_ > 0);
  const Place place = Find(dice.Index(steps_));
  const GoalEpisode& episode = episodes_[place.episode];
  ChooseGoal(dice, place);
  const std::size_t length = LengthOf(episode);
  double reward = 0, discount = 1;
  std::size_t step = place.step;
  for (int k = 0; k < config_.n_step && step < length && discount > 0; ++k) {
    const bool reached = space_.reached(StateOf(episode, ++step), goal_);
    reward += discount * (reached ? config_.success_reward : config_.step_reward);
    discount = reached ? 0 : discount * config_.discount;
  }
  const auto join = [this](std::span<const float> state, std::vector<float>& joined) {
    joined.assign(state.begin(), state.end());
    joined.insert(joined.end(), goal_.begin(), goal_.end());
  };
  join(StateOf(episode, place.step), before_);
  join(StateOf(episode, step), after_);
  batch.Put(row, {.before = before_,
                  .action = std::span(episode.actions).subspan(place.step * At(space_.action), At(space_.action)),
                  .reward = static_cast<float>(reward),
                  .after = after_,
                  .discount = static_cast<float>(discount)});
}

}  // namespace nightshift::learner
