// SPDX-License-Identifier: Apache-2.0
#include "runtime/practice.h"

#include <fmt/format.h>

#include <algorithm>

namespace nightshift::runtime {
namespace {

using core::Outcome;
using core::Result;
using core::SkillKind;
using core::TaskSpec;
using recovery::FailureKind;
using skills::Fact;

bool IsLearnable(const TaskSpec& spec) { return spec.script != "retreat"; }

bool Counts(Outcome outcome) { return outcome != Outcome::kInterrupted && outcome != Outcome::kRunning; }

}  // namespace

Practice::Practice(PracticeParts parts, const skills::Scene& scene, const PracticeConfig& config)
    : parts_(std::move(parts)), scene_(scene), config_(config) {}

Result<std::unique_ptr<Practice>> Practice::Make(PracticeParts parts, const skills::Scene& scene,
                                                 const PracticeConfig& config,
                                                 const std::vector<TaskSpec>& configured) {
  auto catalogue = parts.journal.Load();
  if (!catalogue) return tl::make_unexpected(catalogue.error());
  std::unique_ptr<Practice> practice(new Practice(std::move(parts), scene, config));
  for (const TaskSpec& spec : configured)
    if (auto added = practice->AddTask(spec); !added) return tl::make_unexpected(added.error());
  for (const TaskSpec& spec : catalogue->recovery_tasks)
    if (auto added = practice->AddTask(spec); !added) return tl::make_unexpected(added.error());
  if (auto restored = practice->Restore(*catalogue); !restored) return tl::make_unexpected(restored.error());
  return practice;
}

Result<void> Practice::AddTask(const TaskSpec& spec) {
  auto task = skills::Task::Make(spec);
  if (!task) return tl::make_unexpected(task.error());
  Entry entry{.task = std::move(*task),
              .scripted = {.task = spec.name, .skill = SkillKind::kScripted},
              .learned = {.task = spec.name, .skill = SkillKind::kLearned},
              .slot = skills::PolicySlot(RuleFor(spec))};
  tasks_.emplace(spec.name, std::move(entry));
  if (spec.recovery()) recovery_for_[spec.signature] = spec.name;
  return {};
}

Result<void> Practice::Restore(const core::Catalogue& catalogue) {
  for (const core::Competence& known : catalogue.competence) {
    const auto entry = tasks_.find(known.task);
    if (entry == tasks_.end()) continue;  // A task that is no longer configured.
    (known.skill == SkillKind::kScripted ? entry->second.scripted : entry->second.learned) = known;
  }
  for (const core::FailureRecord& failure : catalogue.failures) {
    ++seen_[failure.signature];
    // What was failed when a session ended is still to be climbed out of, unless the first look says otherwise.
    if (const auto kind = recovery::FailureKindFrom(failure.kind); kind && config_.recovery)
      inherited_.insert_or_assign(failure.object, recovery::Pending{*kind, failure.signature, failure.object});
    next_failure_ = std::max(next_failure_, failure.id + 1);
  }
  for (const core::InterventionRecord& intervention : catalogue.interventions) {
    next_intervention_ = std::max(next_intervention_, intervention.id + 1);
    if (intervention.resolved) continue;
    if (intervention.object == core::kTheRobot)
      asked_about_stop_ = intervention;  // Until the first look that shows it running.
    else
      asked_[intervention.object] = intervention;
    parts_.person.Ask(intervention.reason, intervention.object);  // Who was asked may have stopped with us.
  }
  status_.interventions = catalogue.interventions.size();
  status_.last_episode = catalogue.last_episode;
  return RestorePolicies(catalogue);
}

std::vector<core::Competence> Practice::competence() const {
  std::vector<core::Competence> all;
  for (const auto& [name, entry] : tasks_) {
    all.push_back(entry.scripted);
    all.push_back(entry.learned);
  }
  return all;
}

std::vector<TaskSpec> Practice::tasks() const {
  std::vector<TaskSpec> all;
  for (const auto& [name, entry] : tasks_) all.push_back(entry.task.spec());
  return all;
}

LatestOfTask Practice::Latest(const std::string& task) const { return tasks_.at(task).latest; }

const skills::PolicySlot* Practice::slot(const std::string& task) const {
  const auto entry = tasks_.find(task);
  return entry == tasks_.end() ? nullptr : &entry->second.slot;
}

std::string Practice::FailureKindOf(const std::string& task) const {
  const auto entry = tasks_.find(task);
  return entry == tasks_.end() ? "" : entry->second.task.spec().failure_kind;
}

Result<void> Practice::Apply(const core::Episode& episode) {
  const auto entry = tasks_.find(episode.task);
  return entry == tasks_.end() ? Result<void>{} : CountAttempt(entry->second, episode);
}

void Practice::Say(std::string activity, std::string why) {
  status_.activity = std::move(activity);
  status_.why = std::move(why);
  parts_.listener.OnStatus(status_);
}

// ---- One cycle ----

Result<void> Practice::Cycle() {
  if (auto taken = TakeSnapshots(); !taken) return taken;
  if (auto looked = parts_.body.Rest(); !looked) return tl::make_unexpected(looked.error());
  if (parts_.body.report().latch.latched()) return ApplyLatch();
  if (auto noted = NoteCleared(); !noted) return noted;
  if (!Sees(parts_.body.seen())) return Wait("the camera shows nothing that can be believed");
  if (auto noted = NoteHelp(); !noted) return noted;
  Inherit();
  parts_.await_learner();
  for (const auto& [object, pending] : pending_)
    if (!AwaitsPerson(object)) return Recover(pending);
  if (!HeldObject())
    if (auto homed = Home(); !homed) return homed;
  const std::vector<Startable> startable = WhatMayBePractised();
  if (startable.empty()) return Diagnose();
  std::vector<Option> options;
  for (const Startable& one : startable) options.push_back(one.option);
  const Choice choice = Choose(options, parts_.random);
  const Startable& chosen = startable[choice.index];
  return Practise(chosen.option.task, chosen.target, choice.why);
}

// ---- What there is to do ----

skills::Facts Practice::FactsFor(int object) const {
  return FactsOf(parts_.body.seen(), {.object = object, .goal_m = scene_.bin.Centre(0)}, scene_);
}

std::optional<int> Practice::HeldObject() const {
  for (int i = 0; i < parts_.body.seen().object_count; ++i)
    if (Get(FactsFor(i), Fact::kHeld) != 0) return i;
  return std::nullopt;
}

core::Target Practice::TargetFor(const TaskSpec& spec, int object) {
  const core::Vec3 here = parts_.body.seen().objects[static_cast<std::size_t>(object)].position_m;
  switch (spec.goal) {
    case core::GoalKind::kNone: return {object, here};
    case core::GoalKind::kBin: return {object, scene_.bin.Centre(scene_.object_half_m)};
    case core::GoalKind::kTraySpot: return {object, DrawTraySpot(scene_, config_.wall_share, parts_.random)};
  }
  return {object, here};
}

std::vector<Practice::Startable> Practice::WhatMayStart() {
  std::vector<Startable> startable;
  const auto held = HeldObject();
  for (int object = 0; object < parts_.body.seen().object_count; ++object) {
    if (AwaitsPerson(object) || (held && *held != object)) continue;
    for (auto& [name, entry] : tasks_) {
      if (entry.task.spec().recovery() || !entry.task.MayStart(FactsFor(object))) continue;
      startable.push_back(StartableOf(entry, object));
    }
  }
  return startable;
}

/// Configured tasks, and recovery tasks at objects that no configured task may start with: an object that was left
/// where it fell is climbed out for in its turn.
std::vector<Practice::Startable> Practice::WhatMayBePractised() {
  std::vector<Startable> startable = WhatMayStart();
  if (!config_.recovery || HeldObject()) return startable;
  for (int object = 0; object < parts_.body.seen().object_count; ++object) {
    if (AwaitsPerson(object) || MayPractise(object)) continue;
    for (auto& [name, entry] : tasks_)
      if (entry.task.spec().recovery() && entry.task.MayStart(FactsFor(object)))
        startable.push_back(StartableOf(entry, object));
  }
  return startable;
}

Practice::Startable Practice::StartableOf(Entry& entry, int object) {
  const TaskSpec& spec = entry.task.spec();
  const Actor actor = ActorFor(entry);
  const core::Competence acts = actor.policy ? KnownOf(entry, actor) : entry.scripted;
  const std::int64_t attempts = entry.scripted.attempts + entry.learned.attempts;
  return {{spec.name, object, acts.mean(), attempts}, TargetFor(spec, object)};
}

bool Practice::MayPractise(int object) const {
  const skills::Facts facts = FactsFor(object);
  return std::any_of(tasks_.begin(), tasks_.end(), [&facts](const auto& named) {
    const skills::Task& task = named.second.task;
    return !task.spec().recovery() && task.MayStart(facts);
  });
}

/// A recovery task borrows what its parent has promoted until it has a policy of its own.
Practice::Actor Practice::ActorFor(Entry& entry) {
  if (entry.slot.acting() != nullptr) return {entry.slot.acting(), entry.slot.acting_version(), nullptr};
  if (!entry.task.spec().recovery()) return {};
  const auto parent = tasks_.find(entry.task.spec().inherits_from);
  if (parent == tasks_.end() || parent->second.slot.deployed() == nullptr) return {};
  return {parent->second.slot.deployed(), parent->second.slot.promoted_version(), &parent->second};
}

/// What is known of a learned skill here: its attempts; of a borrowed one also how it does at home, where it gets
/// better while it fails here.
core::Competence Practice::KnownOf(const Entry& entry, const Actor& actor) const {
  core::Competence known = entry.learned;
  if (actor.lender == nullptr) return known;
  known.successes += config_.borrowed_belief_attempts * actor.lender->learned.mean();
  known.failures += config_.borrowed_belief_attempts * (1 - actor.lender->learned.mean());
  return known;
}

/// Both skills' success rates are drawn from what is known of them, and the better draw acts (Thompson 1933): what
/// works is used, what is unsure is tried. A configured task's learned skill acts in a set share at least: it is there
/// to learn.
SkillKind Practice::ChooseSkill(const Entry& entry, const Actor& actor) {
  const bool recovery = entry.task.spec().recovery();
  const int wanted = recovery ? config_.recovery_demonstrations_wanted : config_.demonstrations_wanted;
  if (!IsLearnable(entry.task.spec()) || actor.policy == nullptr) return SkillKind::kScripted;
  if ((recovery ? entry.scripted.attempts : entry.scripted.solved) < wanted) return SkillKind::kScripted;
  if (parts_.random.Chance(config_.scripted_share)) return SkillKind::kScripted;
  if (!recovery && parts_.random.Chance(config_.learned_share_min)) return SkillKind::kLearned;
  const auto draw = [this](const core::Competence& c) { return parts_.random.Beta(c.successes + 1, c.failures + 1); };
  return draw(KnownOf(entry, actor)) > draw(entry.scripted) ? SkillKind::kLearned : SkillKind::kScripted;
}

// ---- An attempt ----

Result<void> Practice::Practise(const std::string& task, const core::Target& target, const std::string& why) {
  Entry& entry = tasks_.at(task);
  core::Episode episode;
  episode.id = parts_.journal.NextEpisodeId();
  episode.task = task;
  episode.target = target;
  const Actor actor = ActorFor(entry);
  episode.skill = ChooseSkill(entry, actor);
  episode.started = parts_.body.seen().time;
  if (episode.skill == SkillKind::kLearned) episode.policy_version = actor.version;
  status_.task = task;
  status_.skill = Name(episode.skill);
  const char* activity = entry.task.spec().recovery() ? "recovering by" : "practising";
  const bool borrowed = episode.skill == SkillKind::kLearned && actor.lender != nullptr;
  const std::string from = borrowed ? ", borrowed from " + actor.lender->task.spec().name : "";
  Say(fmt::format("{} {} ({}{})", activity, task, Name(episode.skill), from), why);

  std::unique_ptr<skills::Skill> skill;
  Manner manner = Manner::kSingleTry;
  if (episode.skill == SkillKind::kScripted) {
    const bool retries = parts_.random.Chance(config_.scripted_retry_share);
    const auto persistence = retries ? skills::Persistence::kRetry : skills::Persistence::kOnce;
    manner = retries ? Manner::kRetrying : Manner::kSingleTry;
    auto script = MakeScript(entry.task.spec().script, scene_, target, persistence, parts_.random);
    if (!script) return tl::make_unexpected(script.error());
    skill = std::move(*script);
  } else {
    // What is borrowed is there to get out of trouble; it explores at home.
    const bool mean = actor.lender != nullptr || parts_.random.Chance(config_.mean_action_share);
    manner = mean ? Manner::kMean : Manner::kExploring;
    skill = std::make_unique<PolicySkill>(*actor.policy, scene_, target,
                                          mean ? PolicySkill::Mode::kMean : PolicySkill::Mode::kSample, parts_.random);
  }
  if (auto begun = parts_.journal.Begin(episode); !begun) return begun;
  const auto append = [this, id = episode.id](int index, const core::Transition& step) {
    return parts_.journal.Append(id, index, step);
  };
  const core::Episode interrupted = episode;
  auto attempt = RunEpisode(parts_.body, entry.task, scene_, *skill, std::move(episode), EndsAt::kFirstFailure, append,
                            parts_.risk);
  if (!attempt) return CloseInterrupted(interrupted, attempt.error());
  attempt->manner = manner;
  return Conclude(*attempt);
}

Result<void> Practice::CloseInterrupted(core::Episode episode, const core::Fault& why) {
  episode.outcome = Outcome::kInterrupted;
  (void)parts_.journal.Close(episode);  // If that fails too, the next start does it.
  return tl::make_unexpected(why);
}

/// First the journal, then everything that depends on the outcome.
Result<void> Practice::Conclude(const Attempt& done) {
  Attempt attempt = done;
  core::Episode& episode = attempt.episode;
  Entry& entry = tasks_.at(episode.task);
  episode.demonstration = episode.skill == SkillKind::kScripted && episode.outcome == Outcome::kSuccess;
  recovery::Aftermath after{.outcome = episode.outcome,
                            .task = episode.task,
                            .was_held = attempt.was_held,
                            .stop = attempt.stop,
                            .failed_in_a_row = CountFruitless(episode)};
  if (attempt.stop == core::StopCause::kNone)
    if (auto back = episode.outcome == Outcome::kSuccess ? Result<void>{} : StepBack(); !back)
      return CloseInterrupted(episode, back.error());
  after.facts = FactsFor(episode.target.object);
  if (const auto kind = FailureIn(after)) episode.failure = Name(*kind);
  if (auto closed = parts_.journal.Close(episode); !closed) return closed;
  ++status_.episodes;
  status_.transitions += episode.steps.size();
  status_.last_episode = episode.id;
  if (auto counted = CountAttempt(entry, episode); !counted) return counted;
  NoteManner(entry, attempt);
  parts_.listener.OnEpisode(attempt, entry.task.spec().recovery());
  return NoteFailure(after, episode);
}

/// After a restart: an object at which no practised task may start is in the failure that it was last in.
void Practice::Inherit() {
  const std::vector<Startable> startable = inherited_.empty() ? std::vector<Startable>{} : WhatMayStart();
  for (const auto& [object, pending] : inherited_) {
    const bool stands = object < parts_.body.seen().object_count && !AwaitsPerson(object) &&
                        std::none_of(startable.begin(), startable.end(),
                                     [&](const Startable& one) { return one.option.object == object; });
    if (stands) pending_.emplace(object, pending);
  }
  inherited_.clear();
}

/// How often in a row attempts at this object have failed now.
int Practice::CountFruitless(const core::Episode& episode) {
  int& count = fruitless_[episode.target.object];
  if (episode.outcome == Outcome::kSuccess)
    count = 0;
  else if (Counts(episode.outcome))
    ++count;
  return count;
}

Result<void> Practice::CountAttempt(Entry& entry, const core::Episode& episode) {
  if (!Counts(episode.outcome)) return {};
  const bool solved = episode.outcome == Outcome::kSuccess;
  core::Competence& known = episode.skill == SkillKind::kScripted ? entry.scripted : entry.learned;
  core::Competence competence = known;
  competence.successes = competence.successes * config_.forgetting + (solved ? 1 : 0);
  competence.failures = competence.failures * config_.forgetting + (solved ? 0 : 1);
  ++competence.attempts;
  competence.solved += solved ? 1 : 0;
  if (auto saved = parts_.journal.SaveCompetence(competence, episode.id); !saved) return saved;
  known = competence;
  if (episode.skill != SkillKind::kLearned) return {};
  return JudgePolicies(entry, episode);
}

void Practice::NoteManner(Entry& entry, const Attempt& attempt) {
  if (!Counts(attempt.episode.outcome)) return;
  const bool solved = attempt.episode.outcome == Outcome::kSuccess;
  if (attempt.manner == Manner::kSingleTry) entry.latest.single_try.Add(solved);
  if (attempt.manner == Manner::kMean) entry.latest.mean.Add(solved);
}

// ---- Failure and recovery ----

const TaskSpec* Practice::RecoveryTask(const std::string& signature) const {
  const auto name = recovery_for_.find(signature);
  return name == recovery_for_.end() ? nullptr : &tasks_.at(name->second).task.spec();
}

/// What was lost is regained, by whatever means; the time that it took is told where a recovery task did it.
void Practice::NoteSuccess(const core::Episode& episode) {
  const auto failed = failed_at_.extract(episode.target.object);
  if (failed && tasks_.at(episode.task).task.spec().recovery() && episode.ended >= failed.mapped())
    parts_.listener.OnRecovered(episode.ended - failed.mapped());
}

Result<void> Practice::NoteFailure(const recovery::Aftermath& after, const core::Episode& episode) {
  const int object = episode.target.object;
  const auto kind = FailureIn(after);
  if (!kind) {
    pending_.erase(object);
    if (episode.outcome == Outcome::kSuccess) NoteSuccess(episode);
    if (episode.outcome != Outcome::kSuccess && !config_.recovery)
      return RetryOrAsk(object, "the same attempt failed again and again");
    return {};
  }
  core::FailureRecord failure{.id = next_failure_++,
                              .episode = episode.id,
                              .kind = std::string(Name(*kind)),
                              .signature = SignatureOf(*kind, after.facts),
                              .task = episode.task,
                              .object = object,
                              .at = parts_.body.seen().time,
                              .state = parts_.body.seen()};
  if (auto recorded = parts_.journal.RecordFailure(failure); !recorded) return recorded;
  const int times = ++seen_[failure.signature];
  failed_at_.try_emplace(object, failure.at);
  parts_.listener.OnFailure(failure);
  if (!config_.recovery) return RetryOrAsk(object, "please help: " + failure.kind);
  if (!RecoveryTask(failure.signature) && (times >= config_.plan.failures_for_a_task || WhatMayStart().empty())) {
    if (const auto task = RecoveryTaskFor(*kind, failure.signature)) {
      if (auto saved = parts_.journal.SaveTask(*task); !saved) return saved;
      if (auto added = AddTask(*task); !added) return added;
      parts_.listener.OnRecoveryTask(*task);
    }
  }
  const auto before = pending_.find(object);
  const int attempts = before == pending_.end() ? 0 : before->second.attempts;
  pending_.insert_or_assign(object, recovery::Pending{*kind, failure.signature, object, attempts});
  return {};
}

Result<void> Practice::Recover(recovery::Pending pending) {
  pending.fruitless = fruitless_[pending.object];
  const TaskSpec* known = RecoveryTask(pending.signature);
  const auto plan =
      PlanFor(pending, known ? std::optional(*known) : std::nullopt, !WhatMayStart().empty(), config_.plan);
  if (const auto* ask = std::get_if<recovery::AskPerson>(&plan)) return Ask(pending.object, ask->reason);
  const auto* practise = std::get_if<recovery::Practise>(&plan);
  if (!practise || !tasks_.at(practise->task).task.MayStart(FactsFor(pending.object))) {
    pending_.erase(pending.object);  // Practice can go on from here, or the trouble is over.
    return {};
  }
  ++pending_.at(pending.object).attempts;
  const std::string why =
      fmt::format("{} happened, attempt {} to climb out of it", pending.signature, pending.attempts + 1);
  return Practise(practise->task, TargetFor(*known, pending.object), why);
}

/// Nothing may start and nothing is pending: find out for each object what is in the way.
Result<void> Practice::Diagnose() {
  for (int object = 0; object < parts_.body.seen().object_count; ++object) {
    if (AwaitsPerson(object)) continue;
    recovery::Aftermath after{.outcome = Outcome::kTimeout, .task = "", .facts = FactsFor(object)};
    core::Episode none;
    none.target.object = object;
    ++fruitless_[object];
    if (auto noted = NoteFailure(after, none); !noted) return noted;
  }
  if (pending_.empty() ||
      std::all_of(pending_.begin(), pending_.end(), [this](const auto& p) { return AwaitsPerson(p.first); }))
    return Wait(asked_.empty() ? "no task may start from here" : "a person was asked for help");
  return {};
}

Result<void> Practice::RetryOrAsk(int object, const std::string& why) {
  if (fruitless_[object] < config_.retries_without_recovery) return {};
  fruitless_.erase(object);
  return Ask(object, why);
}

Result<void> Practice::Ask(int object, const std::string& reason) {
  pending_.erase(object);
  fruitless_.erase(object);
  auto question = OpenQuestion(object, reason);
  if (!question) return tl::make_unexpected(question.error());
  asked_[object] = *question;
  return {};
}

Result<core::InterventionRecord> Practice::OpenQuestion(int object, const std::string& reason) {
  const core::InterventionRecord question{.id = next_intervention_++,
                                          .reason = reason,
                                          .object = object,
                                          .asked = parts_.body.seen().time,
                                          .resolved = std::nullopt};
  if (auto saved = parts_.journal.SaveIntervention(question); !saved) return tl::make_unexpected(saved.error());
  ++status_.interventions;
  parts_.listener.OnIntervention(question);
  parts_.person.Ask(reason, object);
  return question;
}

/// An object that is back in the tray, or where a task may start again, has been put back.
Result<void> Practice::NoteHelp() {
  const core::Instant now = parts_.body.seen().time;
  for (auto asked = asked_.begin(); asked != asked_.end();) {
    const skills::Facts facts = FactsFor(asked->first);
    const core::Instant since = asked->second.asked;
    const bool other_session = now < since;  // Robot time has begun anew since the question.
    const bool waited = other_session || now - since > core::Seconds(config_.person_answers_after_s);
    const bool usable = Get(facts, Fact::kInTray) != 0 || MayPractise(asked->first);
    if (!waited || !usable || Get(facts, Fact::kObjectSeen) == 0) {
      ++asked;
      continue;
    }
    asked->second.resolved = now;
    if (auto saved = parts_.journal.SaveIntervention(asked->second); !saved) return saved;
    parts_.listener.OnHelp(asked->second);
    failed_at_.erase(asked->first);
    asked = asked_.erase(asked);
  }
  return {};
}

}  // namespace nightshift::runtime
