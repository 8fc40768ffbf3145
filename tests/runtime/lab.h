// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/practice.h"
#include "tests/fakes/constant_policy.h"
#include "tests/fakes/memory_journal.h"
#include "tests/fakes/scripted_world.h"

namespace nightshift::runtime {

using core::FaultCode;
using core::Outcome;
using core::SkillKind;
using core::TaskSpec;

struct Ear : PracticeListener {
  void OnEpisode(const Attempt&, bool) override { ++episodes; }
  void OnFailure(const core::FailureRecord&) override {}
  void OnRecoveryTask(const TaskSpec&) override {}
  void OnIntervention(const core::InterventionRecord&) override { ++interventions; }
  void OnHelp(const core::InterventionRecord& intervention) override { helped.push_back(intervention); }
  void OnRecovered(core::Duration took) override { recovered_after.push_back(took); }
  void OnPolicy(const core::SnapshotRecord& snapshot) override {
    verdicts.push_back(snapshot.state);
    why = snapshot.why;
  }
  void OnStatus(const PracticeStatus&) override {}
  void OnFault(const core::Fault& fault) override { faults.push_back(fault.code); }

  int episodes = 0, interventions = 0;
  std::vector<core::InterventionRecord> helped;
  std::vector<core::Duration> recovered_after;
  std::vector<std::string> verdicts;
  std::string why;  // Of the last.
  std::vector<FaultCode> faults;
};

inline std::vector<TaskSpec> TabletopTasks() {
  TaskSpec pick{.name = "pick",
                .start = "in_tray && !held && object_seen",
                .success = "held && object_z > 0.07",
                .failure = "outside",
                .script = "pick"};
  TaskSpec place{.name = "place",
                 .start = "held",
                 .success = "in_bin && !held && tip_z > 0.06",
                 .failure = "!held && !in_bin",
                 .goal = core::GoalKind::kBin,
                 .script = "place"};
  TaskSpec unload{.name = "unload",
                  .start = "in_bin && !held && object_seen",
                  .success = "in_tray && !held && goal_distance < 0.05",
                  .failure = "outside",
                  .time_limit = core::Seconds(10),
                  .goal = core::GoalKind::kTraySpot,
                  .script = "unload"};
  return {pick, place, unload};
}

/// A task that a policy solves by going up, and fails by going down.
inline TaskSpec Rise() {
  return {.name = "rise",
          .start = "tip_z > 0.1",
          .success = "tip_z > 0.17",
          .failure = "tip_z < 0.13",
          .time_limit = core::Seconds(2),
          .script = "pick"};
}

/// One supervisor's life over a world and a journal that outlive it.
class Lab : public testing::Test {
 protected:
  void Start(const std::vector<TaskSpec>& tasks = TabletopTasks()) {
    body_.emplace(world, world, scene);
    PracticeParts parts{*body_,
                        journal,
                        world,
                        ear,
                        random,
                        [this] { return std::exchange(published, {}); },
                        [this](const std::string& task, std::int64_t version) -> std::optional<skills::Snapshot> {
                          for (const auto& one : on_disk)
                            if (one.task == task && one.version == version) return one;
                          return std::nullopt;
                        },
                        [] {}};
    auto made = Practice::Make(std::move(parts), scene, config, tasks);
    ASSERT_TRUE(made) << made.error().detail;
    practice = std::move(*made);
  }

  /// The process dies and comes back: what was not in the journal is gone.
  void Restart(const std::vector<TaskSpec>& tasks = TabletopTasks()) {
    practice.reset();
    auto next = MemoryJournal();
    next.catalogue = journal.AsRestarted();
    next.last_id = journal.last_id;
    journal = next;
    Start(tasks);
  }

  void Cycles(int count) {
    for (int i = 0; i < count; ++i) {
      const auto done = practice->Cycle();
      ASSERT_TRUE(done) << done.error().detail;
    }
  }

  /// At most this many cycles, until it is true.
  template <typename Condition>
  bool Until(Condition condition, int cycles_max = 40) {
    for (int i = 0; i < cycles_max && !condition(); ++i) Cycles(1);
    return condition();
  }

  bool KnowsTask(const std::string& name) const {
    return std::ranges::any_of(practice->tasks(), [&](const TaskSpec& task) { return task.name == name; });
  }
  core::Competence CompetenceOf(const std::string& task, SkillKind skill) const {
    for (const auto& one : practice->competence())
      if (one.task == task && one.skill == skill) return one;
    return {};
  }
  std::vector<std::string> FailureKinds() const {
    std::vector<std::string> kinds;
    for (const auto& failure : journal.failures) kinds.push_back(failure.kind);
    return kinds;
  }

  /// A policy acts at once, always, and is judged after four attempts.
  void TrustsPolicies() {
    config.demonstrations_wanted = 0;
    config.scripted_share = 0;
    config.learned_share_min = 1;
    config.mean_action_share = 1;
    config.judged_after_attempts = 4;
    config.plan.failures_for_a_task = 1000;
  }

  /// Version 1 of the policy for `Rise` succeeds and is promoted.
  void PromotesOne() {
    TrustsPolicies();
    world.PutsObject(0.20, 0.0);
    Start({Rise()});
    published = {tests::ConstantPolicy("rise", 1, 3)};
    Cycles(4);
  }

  /// Then version 2 fails and is rejected; both are on disk.
  void PromotesOneRejectsTwo() {
    on_disk = {tests::ConstantPolicy("rise", 1, 3), tests::ConstantPolicy("rise", 2, -3)};
    PromotesOne();
    published = {on_disk[1]};
    ASSERT_TRUE(Until([this] { return ear.verdicts.size() == 2; }));
  }

  using MemoryJournal = tests::MemoryJournal;
  skills::Scene scene;
  PracticeConfig config;
  tests::ScriptedWorld world{scene};
  MemoryJournal journal;
  Ear ear;
  core::Random random{1};
  std::vector<skills::Snapshot> published, on_disk;
  std::optional<Body> body_;
  std::unique_ptr<Practice> practice;
};

}  // namespace nightshift::runtime
