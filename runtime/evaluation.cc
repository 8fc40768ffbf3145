// SPDX-License-Identifier: Apache-2.0
#include "runtime/evaluation.h"

#include <algorithm>
#include <cmath>

namespace nightshift::runtime {
namespace {

using core::FaultCode;
using core::Outcome;
using core::Result;

constexpr int kScenesPerEpisodeMax = 5;  // Then the start is said to be out of reach.
constexpr int kPreparingTriesMax = 4;
constexpr int kInterruptedMax = 20;  // Scenes lost to a safety process that did not answer in time.
constexpr int kHomingPeriodsMax = 40;
constexpr int kClearTriesMax = 50;  // Five seconds of robot time for a stop to clear.
constexpr int kHomingTriesMax = 5;  // The way home may be blocked for a moment, which stops the arm.
constexpr int kSettlePeriods = 3;
constexpr double kRiseM = 0.12;
constexpr std::uint64_t kScenesPerSeed = 1'000'000;  // Seeds of scenes never meet between evaluations.

}  // namespace

Share WilsonShare(int solved, int attempts) {
  Share share{.solved = solved, .attempts = attempts};
  if (attempts == 0) return share;
  constexpr double z = 1.959964;  // 97.5 % quantile of the standard normal distribution.
  const double n = attempts, p = solved / n;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  share.low = std::max(0.0, middle - half);
  share.high = std::min(1.0, middle + half);
  return share;
}

std::string_view Name(Contender contender) {
  switch (contender) {
    case Contender::kLearned: return "learned";
    case Contender::kScriptedOnce: return "scripted-once";
    case Contender::kScriptedRetry: return "scripted-retry";
  }
  return "?";
}

Result<Contender> ContenderFrom(const std::string& name) {
  for (const Contender one : {Contender::kLearned, Contender::kScriptedOnce, Contender::kScriptedRetry})
    if (Name(one) == name) return one;
  return core::Fail(FaultCode::kInvalidConfig,
                    "--policy " + name + ": must be learned, scripted-once or scripted-retry");
}

Result<skills::Task> Evaluation::Find(const std::string& name) const {
  std::string known;
  for (const core::TaskSpec& spec : parts_.tasks) {
    if (spec.name == name) return skills::Task::Make(spec);
    known += (known.empty() ? "" : ", ") + spec.name;
  }
  return core::Fail(FaultCode::kInvalidConfig, "--task " + name + ": there is no such task; there are " + known);
}

Result<EvaluationResult> Evaluation::Run(const EvaluationPlan& plan) {
  auto task = Find(plan.task);
  if (!task) return tl::make_unexpected(task.error());
  if (plan.contender == Contender::kLearned && !parts_.policies.contains(plan.task))
    return core::Fail(FaultCode::kMissingFile, "no policy has been promoted for task " + plan.task +
                                                   " yet; practise longer, or evaluate --policy scripted-once");
  EvaluationResult result;
  core::Random random(plan.seed);
  int done = 0, solved = 0;
  double steps = 0;
  while (done < plan.episodes) {
    if (result.scenes >= kScenesPerEpisodeMax * plan.episodes)
      return core::Fail(FaultCode::kRefused, "the start of task " + plan.task + " came about only " +
                                                 std::to_string(done) + " times in " + std::to_string(result.scenes) +
                                                 " scenes; practise longer");
    const int object = result.scenes % 2;
    auto episode = Try(*task, object, plan, result.scenes++, random);
    if (!episode && episode.error().code == FaultCode::kPeerTimeout && ++result.interrupted <= kInterruptedMax)
      continue;
    if (!episode) return tl::make_unexpected(episode.error());
    if (!*episode) continue;
    ++done;
    steps += static_cast<double>((*episode)->steps.size());
    if ((*episode)->outcome == Outcome::kSuccess) {
      ++solved;
      auto confirmed = parts_.stage.confirm(plan.task, object);
      if (!confirmed) return tl::make_unexpected(confirmed.error());
      result.confirmed += *confirmed;
    }
    parts_.progress(done, solved);
  }
  result.judged = WilsonShare(solved, done);
  result.mean_steps = done ? steps / done : 0;
  return result;
}

/// One scene: nothing where its start could not be brought about.
Result<std::optional<core::Episode>> Evaluation::Try(const skills::Task& task, int object, const EvaluationPlan& plan,
                                                     int scene, core::Random& random) {
  if (auto ready = Prepare(plan.seed * kScenesPerSeed + static_cast<std::uint64_t>(scene)); !ready)
    return tl::make_unexpected(ready.error());
  auto startable = BringAbout(task, object, random);
  if (!startable) return tl::make_unexpected(startable.error());
  if (!*startable) return std::nullopt;
  auto episode = Attempt(task, object, plan.contender, random);
  if (!episode) return tl::make_unexpected(episode.error());
  return std::optional(std::move(*episode));
}

/// A fresh scene, the arm at home and no stop in force. Staging does not move the arm, so it lets go and rises first.
Result<void> Evaluation::Prepare(std::uint64_t seed) {
  Body& body = parts_.body;
  for (int i = 0; i < kHomingTriesMax; ++i) {
    if (auto cleared = ClearStop(); !cleared) return cleared;
    if (auto homed = Home(); !homed) return homed;
    if (!body.report().latch.latched()) break;
  }
  if (auto set = parts_.stage.set(seed); !set) return set;
  for (int i = 0; i < kSettlePeriods; ++i)
    if (auto rested = body.Rest(); !rested) return tl::make_unexpected(rested.error());
  return {};
}

Result<void> Evaluation::ClearStop() {
  for (int i = 0; i < kClearTriesMax; ++i) {
    if (auto rested = parts_.body.Rest(); !rested) return tl::make_unexpected(rested.error());
    if (!parts_.body.report().latch.latched()) break;
    (void)parts_.body.Clear();  // Refused until the arm is at rest: the next period asks again.
  }
  return {};
}

Result<void> Evaluation::Home() {
  Body& body = parts_.body;
  const core::Vec3 tip = body.seen().commanded_tip_m;
  auto moved = body.GoTo({tip.x, tip.y, std::max(kRiseM, tip.z)}, false, kHomingPeriodsMax);
  if (moved) moved = body.GoTo(parts_.scene.home_m, false, kHomingPeriodsMax);
  if (moved) moved = body.Rest();
  if (!moved) return tl::make_unexpected(moved.error());
  return {};
}

/// From a fresh scene to where the task may start: by picking, then by placing, as far as needed.
Result<bool> Evaluation::BringAbout(const skills::Task& task, int object, core::Random& random) {
  const auto may_start = [&] {
    return task.MayStart(FactsOf(parts_.body.seen(), {object, parts_.scene.bin.Centre(0)}, parts_.scene));
  };
  for (const char* step : {"pick", "place"}) {
    if (may_start()) return true;
    auto way = Find(step);
    if (!way) return tl::make_unexpected(way.error());
    for (int i = 0; i < kPreparingTriesMax; ++i) {
      const bool learned = parts_.policies.contains(step);
      auto episode = Attempt(*way, object, learned ? Contender::kLearned : Contender::kScriptedRetry, random);
      if (!episode) return tl::make_unexpected(episode.error());
      if (episode->outcome == Outcome::kSuccess) break;
      if (std::string_view(step) == "place") return false;  // Not in hand any more.
      if (auto homed = Home(); !homed) return tl::make_unexpected(homed.error());
    }
    if (task.spec().goal != core::GoalKind::kBin && std::string_view(step) == "place")
      if (auto homed = Home(); !homed) return tl::make_unexpected(homed.error());
  }
  return may_start();
}

Result<core::Episode> Evaluation::Attempt(const skills::Task& task, int object, Contender contender,
                                          core::Random& random) {
  core::Episode episode;
  episode.task = task.spec().name;
  episode.target = {object, parts_.body.seen().objects[static_cast<std::size_t>(object)].position_m};
  if (task.spec().goal == core::GoalKind::kBin)
    episode.target.goal_m = parts_.scene.bin.Centre(parts_.scene.object_half_m);
  if (task.spec().goal == core::GoalKind::kTraySpot) episode.target.goal_m = DrawTraySpot(parts_.scene, 0.25, random);
  std::unique_ptr<skills::Skill> skill;
  if (contender == Contender::kLearned) {
    skill = std::make_unique<PolicySkill>(parts_.policies.at(episode.task), parts_.scene, episode.target,
                                          PolicySkill::Mode::kMean, random);
  } else {
    const auto persistence =
        contender == Contender::kScriptedRetry ? skills::Persistence::kRetry : skills::Persistence::kOnce;
    auto script = MakeScript(task.spec().script, parts_.scene, episode.target, persistence, random);
    if (!script) return tl::make_unexpected(script.error());
    skill = std::move(*script);
  }
  const EndsAt ends_at = contender == Contender::kScriptedRetry ? EndsAt::kTimeOnly : EndsAt::kFirstFailure;
  const auto keep_going = [](int, const core::Transition&) { return Result<void>{}; };
  auto attempt = RunEpisode(parts_.body, task, parts_.scene, *skill, episode, ends_at, keep_going);
  if (!attempt) return tl::make_unexpected(attempt.error());
  return std::move(attempt->episode);
}

}  // namespace nightshift::runtime
