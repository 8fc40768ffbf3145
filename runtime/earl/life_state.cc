// SPDX-License-Identifier: Apache-2.0
// Life::Save and Restore: everything in one sequence of bytes, in the order of Put and Take below.
#include <utility>

#include "runtime/earl/bytes.h"
#include "runtime/earl/life.h"

namespace nightshift::runtime::earl {

namespace {

void Put(Writer& to, const learner::AdamState& s) {
  to.Put(s.first);
  to.Put(s.second);
  to.Put(s.steps);
}
void Take(Reader& from, learner::AdamState& s) {
  from.Take(s.first);
  from.Take(s.second);
  from.Take(s.steps);
}

void Put(Writer& to, const learner::AgentState& s) {
  for (const auto* values : {&s.actor, &s.deployed, &s.critics, &s.targets}) to.Put(*values);
  for (const auto* adam : {&s.actor_adam, &s.critic_adam, &s.temperature_adam}) Put(to, *adam);
  to.Put(s.log_temperature);
  to.Put(s.dice);
  to.Put(s.actor_facts);
  to.Put(s.actor_gradient_norm);
  for (const std::int64_t count : {s.updates, s.clone_updates, s.divergences}) to.Put(count);
}
void Take(Reader& from, learner::AgentState& s) {
  for (auto* values : {&s.actor, &s.deployed, &s.critics, &s.targets}) from.Take(*values);
  for (auto* adam : {&s.actor_adam, &s.critic_adam, &s.temperature_adam}) Take(from, *adam);
  from.Take(s.log_temperature);
  from.Take(s.dice);
  from.Take(s.actor_facts);
  from.Take(s.actor_gradient_norm);
  for (auto* count : {&s.updates, &s.clone_updates, &s.divergences}) from.Take(*count);
}

void Put(Writer& to, const learner::Hindsight& memory) {
  to.Put(static_cast<std::uint64_t>(memory.episodes().size()));
  for (const auto& episode : memory.episodes()) {
    to.Put(episode.states);
    to.Put(episode.actions);
    to.Put(episode.goal);
    to.Put(episode.kind);
  }
}
/// False when an episode does not fit.
bool Take(Reader& from, learner::Hindsight& memory) {
  std::uint64_t count = 0;
  from.Take(count);
  memory.Clear();
  for (std::uint64_t i = 0; i < count && from.good(); ++i) {
    learner::GoalEpisode episode;
    from.Take(episode.states);
    from.Take(episode.actions);
    from.Take(episode.goal);
    from.Take(episode.kind);
    if (!from.good() || !memory.Fits(episode) || !memory.Add(std::move(episode))) return false;
  }
  return from.good();
}

struct Counts {
  double successes, failures;
  std::int64_t attempts, solved;
};

}  // namespace

std::string Life::Save() {
  agent_.MarkHealthy();  // As Restore does, so that both go on alike.
  Writer to;
  Put(to, agent_.state());
  Put(to, practice_);
  Put(to, wins_);
  to.Put(world_->Save());
  to.Put(dice_.state());
  for (const auto& c : competence_) to.Put(Counts{c.successes, c.failures, c.attempts, c.solved});
  to.Put(course_);
  to.Put(tally_);
  to.Put(facts_);
  return to.bytes();
}

core::Result<void> Life::Restore(std::string_view bytes) {
  const auto refuse = [](const char* why) {
    return core::Fail(core::FaultCode::kCorruptState, std::string("the saved life ") + why);
  };
  Reader from(bytes);
  learner::AgentState agent;
  Take(from, agent);
  if (!Take(from, practice_) || !Take(from, wins_)) return refuse("holds an episode of another shape");
  std::vector<double> world;
  learner::Dice::State dice{};
  from.Take(world);
  from.Take(dice);
  for (auto& c : competence_) {
    Counts counts{};
    from.Take(counts);
    c.successes = counts.successes;
    c.failures = counts.failures;
    c.attempts = counts.attempts;
    c.solved = counts.solved;
  }
  from.Take(course_);
  from.Take(tally_);
  from.Take(facts_);
  if (!from.done()) return refuse("is of another length");
  if (auto restored = agent_.Restore(std::move(agent)); !restored) return restored;
  dice_.Restore(dice);
  return world_->Restore(world);
}

}  // namespace nightshift::runtime::earl
