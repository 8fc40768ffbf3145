// SPDX-License-Identifier: Apache-2.0
#include "learner/trainer.h"

#include <algorithm>
#include <cmath>

namespace nightshift::learner {

namespace {

constexpr std::size_t kRecentEpisodesMax = 400;  // About 60 KB each: 25 MB.

/// The same for a task whatever the order in which tasks appear (FNV-1a).
std::uint64_t SeedOf(std::uint64_t seed, const std::string& task) {
  std::uint64_t hash = 0xcbf29ce484222325u ^ seed;
  for (const char c : task) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

constexpr std::int64_t kDivergencesMax = 3;  // In a row: chance explains one, a second batch a second.

double ValueSize(const AgentConfig& config) { return std::max(std::abs(config.value_min), std::abs(config.value_max)); }

}  // namespace

Trainer::Trainer(const Config& config, const skills::Scene& scene)
    : config_(config),
      scene_(scene),
      compute_(ComputeFor(config)),
      risk_(config.risk, SeedOf(config.seed, "risk critic")) {}

Trainer::Entry* Trainer::Find(const std::string& task) {
  const auto found = entries_.find(task);
  return found == entries_.end() ? nullptr : &found->second;
}

const Trainer::Entry* Trainer::Find(const std::string& task) const {
  const auto found = entries_.find(task);
  return found == entries_.end() ? nullptr : &found->second;
}

core::Result<void> Trainer::Know(const TaskSpecs& tasks) {
  for (const core::TaskSpec& spec : tasks)
    if (Find(spec.name) == nullptr)
      if (auto added = Add(spec); !added) return added;
  return {};
}

core::Result<void> Trainer::Add(const core::TaskSpec& spec) {
  auto task = skills::Task::Make(spec);
  if (!task) return tl::make_unexpected(task.error());
  Entry fresh{.spec = spec,
              .task = std::move(*task),
              .agent = Agent(ForTask(config_.agent, spec.time_limit), SeedOf(config_.seed, spec.name), compute_)};
  fresh.life.own_after = cursor_;
  fresh.life.others_after = recent_.empty() ? cursor_ : recent_.front().id - 1;
  if (const auto saved = saved_.find(spec.name); saved != saved_.end()) {
    if (auto adopted = Adopt(saved->second, fresh); !adopted)
      return core::Fail(adopted.error().code, "task " + spec.name + ": " + adopted.error().detail);
    saved_.erase(saved);
  }
  Entry& entry = entries_.emplace(spec.name, std::move(fresh)).first->second;
  IngestFacts unused;
  for (const core::Episode& episode : recent_) Relabel(entry, episode, unused);
  return {};
}

core::Result<IngestFacts> Trainer::Ingest(const core::Episode& episode, const TaskSpecs& tasks) {
  if (auto known = Know(tasks); !known) return tl::make_unexpected(known.error());
  return Ingest(episode);
}

IngestFacts Trainer::Ingest(const core::Episode& episode) {
  IngestFacts facts;
  const bool counts = episode.id == 0 || episode.id > counted_cursor_;
  if (counts && !refill_trouble_) refill_trouble_ = CompareReplays();
  cursor_ = std::max(cursor_, episode.id);
  const auto length = static_cast<std::int64_t>(episode.steps.size());
  if (counts) steps_ += length;
  risk_.Ingest(episode, scene_, counts ? RiskCritic::Reading::kNew : RiskCritic::Reading::kAgain);
  Entry* own = Find(episode.task);
  if (own == nullptr || (!counts && episode.id <= own->life.own_after)) {
    ++unknown_episodes_;
  } else {
    if (counts) own->life.own_steps += length;
    if (counts && episode.skill == core::SkillKind::kLearned) own->life.learned_steps += length;
    if (counts) own->life.solved += episode.outcome == core::Outcome::kSuccess;
    Segment segment = SegmentOf(episode, own->agent.config(), scene_);
    ChargeSurprise(own->agent.config(), own->familiar, segment);
    const bool held_out = episode.skill == core::SkillKind::kLearned && segment.ending == Ending::kTerminal &&
                          HeldOut::Takes(episode.id, config_.held_out_every);
    if (held_out)
      own->held_out.Add(segment, own->agent.config().discount);
    else
      facts.own = AddSegment(*own, segment, facts);
    if (counts) own->life.sampled_at = own->agent.state().updates;
    if (!held_out && segment.solved && TakeAsDemonstration(*own, episode)) {
      for (const Sample& sample : own->agent.Fold(segment))
        facts.demonstrated += own->agent.AddDemonstration(sample) ? 1 : 0;
      own->agent.EndDemonstration();
    }
  }
  for (auto& [name, entry] : entries_)
    if (name != episode.task && (counts || episode.id > entry.life.others_after)) Relabel(entry, episode, facts);
  Remember(episode);
  return facts;
}

int Trainer::AddSegment(Entry& entry, const Segment& segment, IngestFacts& facts) {
  int added = 0;
  for (const Sample& sample : entry.agent.Fold(segment)) {
    const bool taken = entry.agent.AddPractice(sample);
    added += taken ? 1 : 0;
    facts.refused += taken ? 0 : 1;
  }
  return added;
}

bool Trainer::TakeAsDemonstration(Entry& entry, const core::Episode& episode) {
  switch (episode.skill) {
    case core::SkillKind::kScripted:
      if (!episode.demonstration || entry.scripted_demonstrations >= config_.scripted_demonstrations_max) return false;
      ++entry.scripted_demonstrations;
      return true;
    case core::SkillKind::kLearned:
      if (entry.learned_demonstrations >= config_.learned_demonstrations_max) return false;
      ++entry.learned_demonstrations;
      return true;
  }
  return false;
}

void Trainer::Relabel(Entry& entry, const core::Episode& episode, IngestFacts& facts) {
  if (config_.relabelling == Relabelling::kOff || episode.task == entry.spec.name) return;
  for (Segment& segment : SegmentsFor(entry.task, episode, entry.agent.config(), scene_)) {
    if (!segment.solved && config_.relabelling == Relabelling::kSuccesses) continue;
    ChargeSurprise(entry.agent.config(), entry.familiar, segment);
    facts.relabelled += AddSegment(entry, segment, facts);
    if (!segment.solved || !TakeAsDemonstration(entry, episode)) continue;
    for (const Sample& sample : entry.agent.Fold(segment))
      facts.demonstrated += entry.agent.AddDemonstration(sample) ? 1 : 0;
    entry.agent.EndDemonstration();
  }
}

void Trainer::Remember(const core::Episode& episode) {
  recent_.push_back(episode);
  if (recent_.size() > kRecentEpisodesMax) recent_.pop_front();
}

/// It has seen too little of its own to learn by itself: it owes no updates and publishes nothing, and practice acts
/// with what its parent has promoted.
bool Trainer::Borrows(const Entry& entry) const {
  if (entry.spec.inherits_from.empty() || entry.life.learned_steps >= config_.borrowed_steps) return false;
  if (entry.agent.state().updates + entry.agent.state().clone_updates > 0) return false;
  return Find(entry.spec.inherits_from) != nullptr;
}

void Trainer::InheritIfFresh(Entry& entry) {
  if (entry.spec.inherits_from.empty() || entry.agent.state().updates + entry.agent.state().clone_updates > 0) return;
  const Entry* parent = Find(entry.spec.inherits_from);
  if (parent != nullptr && parent->agent.state().updates > 0) entry.agent.Inherit(parent->agent);
}

/// Keeps what is healthy, takes back what has diverged unnoticed.
void Trainer::LookAfter(Entry& entry) {
  const AgentConfig& agent = entry.agent.config();
  if (!entry.last.diverged && entry.agent.state().updates % config_.healthy_every == 0) {
    if (entry.last.phase != Phase::kCloning) entry.health = entry.agent.Health(entry.held_out);
    entry.last.diverged = Diverged(entry.health, ValueSize(agent), {});
    if (entry.last.diverged) {
      entry.agent.FallBack();
    } else {
      entry.agent.MarkHealthy();
      entry.life.diverged_in_a_row = 0;
    }
  }
  if (entry.last.diverged) ++entry.life.diverged_in_a_row;
}

std::int64_t Trainer::LearnedStepsDue(const Entry& entry) const {
  const std::int64_t borrowed = entry.spec.inherits_from.empty() ? 0 : config_.borrowed_steps;
  return std::max<std::int64_t>(0, entry.life.learned_steps - borrowed);
}

double Trainer::BacklogOf(const Entry& entry) const {
  if (Borrows(entry) || entry.agent.phase() == Phase::kWaiting || entry.life.own_steps == 0) return 0;
  const double due = config_.agent.offline_updates + config_.update_ratio * static_cast<double>(LearnedStepsDue(entry));
  return std::max(0.0, due - static_cast<double>(entry.agent.state().updates)) +
         static_cast<double>(entry.agent.clone_updates_left());
}

double Trainer::Backlog() const {
  double total = 0;
  for (const auto& [name, entry] : entries_) total += BacklogOf(entry);
  return total;
}

std::optional<Trainer::Update> Trainer::UpdateOnce() {
  Entry* busiest = nullptr;
  double most = -1;
  for (auto& [name, entry] : entries_) {
    if (entry.agent.phase() == Phase::kWaiting || Borrows(entry)) continue;
    if (const double backlog = BacklogOf(entry); backlog > most) {
      busiest = &entry;
      most = backlog;
    }
  }
  if (busiest == nullptr) return std::nullopt;
  InheritIfFresh(*busiest);
  busiest->last = busiest->agent.Update();
  LookAfter(*busiest);
  return Update{busiest->spec.name, busiest->last};
}

core::Result<Extraction> Trainer::ExtractOffline(const std::string& task, const std::function<bool()>& must_end) {
  const auto refuse = [](const std::string& why) { return core::Fail(core::FaultCode::kRefused, why); };
  Entry* entry = Find(task);
  if (entry == nullptr) return refuse("no task named " + task + " is known");
  if (Borrows(*entry))
    return refuse("acts with the policy of " + entry->spec.inherits_from + " until it has practised");
  Agent& agent = entry->agent;
  if (const auto trained = agent.state().updates + agent.state().clone_updates; trained > 0)
    return refuse("has been trained for " + std::to_string(trained) +
                  " updates, which would be lost; to begin anew move the learner's manifest away");
  auto extraction = Extract(config_.offline, agent.config(), kAgentSizes, {agent.practice(), agent.demonstrations()},
                            agent.state(), must_end);
  if (!extraction || !extraction->finished) return extraction;
  AgentState state = extraction->state;
  state.clone_updates = std::max<std::int64_t>(state.clone_updates, agent.config().clone_updates);
  const double owed =
      config_.agent.offline_updates + config_.update_ratio * static_cast<double>(LearnedStepsDue(*entry));
  // A clone's critics know nothing yet: they are still warmed up.
  state.updates =
      config_.offline.algorithm == OfflineAlgorithm::kCloning ? 0 : std::max<std::int64_t>(1, std::llround(owed));
  if (auto restored = agent.Restore(std::move(state)); !restored) return tl::make_unexpected(restored.error());
  return extraction;
}

core::Result<skills::PolicyWeights> Trainer::Weights(const std::string& task, Actor which) const {
  const Entry* entry = Find(task);
  if (entry == nullptr) return core::Fail(core::FaultCode::kRefused, "no task named " + task + " is known");
  return entry->agent.Weights(which);
}

std::optional<skills::HeldOutValue> Trainer::HeldOutValueOf(const std::string& task) const {
  const Entry* entry = Find(task);
  if (entry == nullptr || entry->agent.phase() != Phase::kLearning || entry->held_out.episodes() == 0)
    return std::nullopt;
  return entry->agent.Health(entry->held_out).held_out;
}

bool Trainer::HasPolicy(const std::string& task) const {
  const Entry* entry = Find(task);
  if (entry == nullptr || Borrows(*entry)) return false;
  if (!entry->spec.inherits_from.empty()) return entry->agent.phase() == Phase::kLearning;  // Before, its parent's.
  const AgentState& state = entry->agent.state();
  return entry->agent.clone_updates_left() == 0 &&
         (state.clone_updates > 0 || state.updates >= std::max(1, config_.agent.offline_updates));
}

bool Trainer::MayPublish(const std::string& task) const {
  const Entry* entry = Find(task);
  return entry != nullptr && HasPolicy(task) && entry->life.diverged_in_a_row == 0;
}

std::vector<AgentFacts> Trainer::Facts() const {
  std::vector<AgentFacts> all;
  for (const auto& [name, entry] : entries_) {
    const Agent& agent = entry.agent;
    AgentFacts facts;
    facts.task = name;
    facts.phase = agent.phase();
    facts.updates = agent.state().updates;
    facts.clone_updates = agent.state().clone_updates;
    facts.own_steps = entry.life.own_steps;
    facts.learned_steps = entry.life.learned_steps;
    facts.samples = agent.practice().size();
    facts.demonstrations = agent.demonstrations().size();
    facts.demonstrated_episodes = agent.demonstrated_episodes();
    facts.overflowed = agent.practice().overflowed() + agent.demonstrations().overflowed();
    facts.refused = agent.practice().refused() + agent.demonstrations().refused();
    facts.divergences = agent.state().divergences;
    facts.backlog = BacklogOf(entry);
    facts.weight_norm = std::hypot(NormOf(agent.state().actor), NormOf(agent.state().critics));
    facts.last = entry.last;
    facts.solved_episodes = entry.life.solved;
    facts.updates_since_sample = agent.state().updates - entry.life.sampled_at;
    facts.health = entry.health;
    facts.troubles = TroublesOf(entry.health, ValueSize(agent.config()), {});
    facts.may_publish = entry.life.diverged_in_a_row == 0;
    facts.keeps_diverging = entry.life.diverged_in_a_row >= kDivergencesMax;
    all.push_back(facts);
  }
  return all;
}

std::int64_t Trainer::updates() const {
  std::int64_t total = 0;
  for (const auto& [name, entry] : entries_) total += entry.agent.state().updates;
  for (const auto& [name, saved] : saved_) total += saved.state.updates;
  return total;
}

}  // namespace nightshift::learner
