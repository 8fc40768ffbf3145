// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/action.h"

namespace nightshift::runtime::cli {
namespace {

using testing::HasSubstr;

Heard Practising() {
  Heard heard;
  auto& supervisor = heard.supervisor.emplace();
  supervisor.set_activity("practising pick (learned)");
  supervisor.set_task("pick");
  supervisor.set_skill("learned");
  supervisor.set_why("least competent");
  supervisor.set_episodes(321);
  supervisor.set_interventions(2);
  supervisor.set_practised_ns(3600'000'000'000);
  supervisor.add_degraded("perception is ground truth");
  supervisor.set_risk("off, 12 of 50 near misses seen");
  auto* pick = supervisor.add_tasks();
  pick->set_task("pick");
  pick->set_scripted_attempts(120);
  pick->set_scripted_solved(60);
  pick->set_learned_attempts(40);
  pick->set_learned_solved(30);
  pick->set_learned_competence(0.8);
  pick->set_promoted_version(7);
  pick->set_single_try_attempts(40);
  pick->set_single_try_solved(16);
  pick->set_mean_attempts(20);
  pick->set_mean_solved(17);
  auto* recovery = supervisor.add_tasks();
  recovery->set_task("recover-dropped");
  recovery->set_recovery(true);
  heard.safety.emplace().set_state("moving");
  heard.safety->add_degraded("no_real_time_priority");
  auto& learner = heard.learner.emplace();
  learner.set_state("training");
  learner.set_updates_per_second(250);
  return heard;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

TEST(StatusBlock, SaysWhatItDoesWhyAndHowWell) {
  const std::string block = Joined(StatusBlock(Practising(), {}));
  EXPECT_THAT(block, HasSubstr("practising pick (learned): least competent"));
  EXPECT_THAT(block, HasSubstr("60/120 (50 %)"));
  EXPECT_THAT(block, HasSubstr("note        no_real_time_priority")) << "what safety does without";
  EXPECT_THAT(block, HasSubstr("30/40 (75 %)"));
  EXPECT_THAT(block, HasSubstr("16/40 (40 %)    17/20 (85 %)")) << "what can be compared stands side by side";
  EXPECT_THAT(block, HasSubstr("v7"));
  EXPECT_THAT(block, HasSubstr("+ recover-dropped"));
  EXPECT_THAT(block, HasSubstr("recovery tasks 1   interventions 2"));
  EXPECT_THAT(block, HasSubstr("perception is ground truth"));
  EXPECT_THAT(block, HasSubstr("250/s"));
  EXPECT_THAT(block, HasSubstr("risk critic off, 12 of 50 near misses seen"));
}

TEST(StatusBlock, NamesBudgetsThatAreNearlyUsedUp) {
  Heard heard = Practising();
  const auto add = [&heard](const char* budget, std::uint32_t axis, double share) {
    auto* use = heard.safety->add_budgets();
    use->set_budget(budget);
    use->set_axis(axis);
    use->set_share(share);
  };
  add("travel", 1, 0.83);
  add("current", 2, 0.91);
  add("starts", 3, 0.8);
  const std::string block = Joined(StatusBlock(heard, {}));
  EXPECT_THAT(block, HasSubstr("axis 1 has used 83 % of its day's travel"));
  EXPECT_THAT(block, HasSubstr("axis 2 has used 91 % of its current over time"));
  EXPECT_THAT(block, testing::Not(HasSubstr("axis 3"))) << "not above 80 %";
}

TEST(StatusBlock, NamesWhoIsSilentAndWhyTheRobotStands) {
  Heard heard = Practising();
  heard.supervisor.reset();
  heard.learner.reset();
  heard.safety->set_state("stopped");
  heard.safety->mutable_period()->mutable_latch()->set_worst(static_cast<unsigned>(core::StopCause::kHot));
  const std::string block = Joined(StatusBlock(heard, {}));
  EXPECT_THAT(block, HasSubstr("supervisor: silent"));
  EXPECT_THAT(block, HasSubstr("learner     silent"));
  EXPECT_THAT(block, HasSubstr("stopped because of hot"));
}

TEST(StatusBlock, SaysWhetherAnybodyIsSeenAndWhatTheyLeaveOfTheSpeed) {
  Heard heard = Practising();
  EXPECT_THAT(Joined(StatusBlock(heard, {})), HasSubstr("no presence sensor: nobody is seen"));
  auto* person = heard.safety->mutable_period()->mutable_person();
  person->set_presence(static_cast<unsigned>(core::Presence::kSeen));
  person->set_distance_m(1.5);
  person->set_speed_scale(0.4);
  EXPECT_THAT(Joined(StatusBlock(heard, {})), HasSubstr("the nearest 1.50 m away: 40 % of the arm's speed"));
  person->set_presence(static_cast<unsigned>(core::Presence::kSilent));
  EXPECT_THAT(Joined(StatusBlock(heard, {})), HasSubstr("sensor is silent: taken for a person at the arm"));
}

TEST(StatusLine, HoldsEachPractisedTaskOnOneLine) {
  const std::string line = StatusLine(Practising(), {});
  EXPECT_THAT(line, HasSubstr("pick scripted 60/120 (50 %) learned 30/40 (75 %), latest: one try 16/40 (40 %), not "
                              "exploring 17/20 (85 %)"));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(TimeLeft, FollowsFromThePaceSoFar) {
  RunProgress progress;
  progress.robot_time = core::Seconds(7200);
  progress.practised = core::Seconds(1800);
  progress.wall = std::chrono::seconds(300);
  EXPECT_EQ(TimeLeft(progress), core::Seconds(900));
}

TEST(TimeLeft, IsUnknownWithoutAnEndOrAPace) {
  RunProgress endless;
  endless.practised = core::Seconds(1800);
  EXPECT_FALSE(TimeLeft(endless));
  RunProgress begun;
  begun.robot_time = core::Seconds(7200);
  EXPECT_FALSE(TimeLeft(begun));
}

TEST(ToJson, IsOneObjectWithNullForWhoIsSilent) {
  Heard heard = Practising();
  heard.safety.reset();
  const auto json = nlohmann::json::parse(ToJson(heard));
  EXPECT_TRUE(json["safety"].is_null());
  EXPECT_EQ(json["supervisor"]["tasks"][0]["task"], "pick");
  EXPECT_EQ(json["supervisor"]["practised_ns"], "3600000000000");
  EXPECT_EQ(json["learner"]["updates_per_second"], 250.0);
}

}  // namespace
}  // namespace nightshift::runtime::cli
