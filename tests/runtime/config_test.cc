// SPDX-License-Identifier: Apache-2.0
#include "runtime/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/source_tree.h"

namespace nightshift::runtime {
namespace {

using core::FaultCode;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kLeast[] = R"(
[cell]
model_file = "model.xml"
[[tasks]]
name = "pick"
start = "in_tray"
success = "held"
script = "pick"
)";

/// A folder with an empty model file, so that configurations can name one.
class ConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "ns-config-" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/model.xml") << "<mujoco/>";
  }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// The least configuration that is accepted, with some lines before it.
  core::Result<Config> With(const std::string& first) const {
    return ParseConfig(first + kLeast, "robot.toml", folder_);
  }

  /// What is said about it when it is refused.
  std::string Refused(const std::string& first) const {
    const auto config = With(first);
    if (config) return "accepted";
    EXPECT_EQ(config.error().code, FaultCode::kInvalidConfig);
    return config.error().detail;
  }

  std::string folder_;
};

TEST_F(ConfigFile, DefaultsOfOfflineLearningAreThoseThatTheDocumentationGives) {
  std::ifstream file(tests::SourceTree() + "/docs/learner.md");
  const std::string documentation{std::istreambuf_iterator<char>(file), {}};
  const learner::OfflineConfig config;
  const std::pair<const char*, double> defaults[] = {
      {"cloning.updates", config.cloning.updates},
      {"cloning.learning_rate", config.cloning.learning_rate},
      {"implicit_q.updates", config.implicit_q.updates},
      {"implicit_q.expectile", config.implicit_q.expectile},
      {"implicit_q.inverse_temperature", config.implicit_q.inverse_temperature},
      {"implicit_q.weight_max", config.implicit_q.weight_max},
      {"implicit_q.learning_rate", config.implicit_q.learning_rate},
      {"implicit_q.log_std_min", config.implicit_q.log_std_min},
      {"conservative_q.updates", config.conservative_q.updates},
      {"conservative_q.penalty", config.conservative_q.penalty},
      {"conservative_q.sampled_actions", config.conservative_q.sampled_actions},
      {"conservative_q.temperature", config.conservative_q.temperature},
      {"conservative_q.learning_rate", config.conservative_q.learning_rate}};
  for (const auto& [key, value] : defaults) {
    const auto row = documentation.find("| `learner.offline." + std::string(key) + "` |");
    ASSERT_NE(row, std::string::npos) << key;
    const std::string line = documentation.substr(row, documentation.find('\n', row) - row - 2);
    EXPECT_EQ(std::stod(line.substr(line.rfind("| ") + 2)), value) << line;
  }
}

TEST_F(ConfigFile, TheOneInTheTreeIsValidAndHasItsFourTasks) {
  const auto config = LoadConfig(tests::SourceTree() + "/configs/tabletop.toml");
  ASSERT_TRUE(config) << config.error().detail;
  ASSERT_EQ(config->tasks.size(), 4u);
  EXPECT_EQ(config->tasks[0].name, "pick");
  EXPECT_EQ(config->tasks[1].goal, core::GoalKind::kBin);
  EXPECT_EQ(config->tasks[2].time_limit, core::Seconds(10));
  EXPECT_EQ(config->tasks[3].goal, core::GoalKind::kTraySpot);
  EXPECT_EQ(config->perception.source, io::PerceptionSource::kCamera);
  EXPECT_TRUE(std::filesystem::path(config->cell.model_file).is_absolute());
}

TEST_F(ConfigFile, WhatIsLeftOutKeepsItsDefault) {
  const auto config = With("");
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->learner.update_ratio, learner::Config{}.update_ratio);
  EXPECT_EQ(config->perception.objects.size(), io::PerceptionConfig{}.objects.size());
}

TEST_F(ConfigFile, WhatIsGivenIsTaken) {
  const auto config = With(R"(perception = "ground_truth"
[learner]
update_ratio = 2
relabelling = "off"
[learner.agent]
width = 64
[practice]
recovery = false
[scene]
home_m = [0.1, 0.0, 0.2]
[[objects]]
name = "green"
hue_deg_min = 90
hue_deg_max = 150
)");
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->perception.source, io::PerceptionSource::kGroundTruth);
  EXPECT_EQ(config->learner.update_ratio, 2);
  EXPECT_EQ(config->learner.relabelling, learner::Relabelling::kOff);
  EXPECT_EQ(config->learner.agent.width, 64);
  EXPECT_FALSE(config->practice.recovery);
  EXPECT_EQ(config->scene.home_m, (core::Vec3{0.1, 0, 0.2}));
  ASSERT_EQ(config->perception.objects.size(), 1u);
  EXPECT_EQ(config->perception.objects[0].name, "green");
}

TEST_F(ConfigFile, AnUnknownKeyIsNamedWithFileLineAndTheNearestKnownOne) {
  const std::string said = Refused("[learner]\nupdate_ration = 2\n");
  EXPECT_THAT(said, HasSubstr("robot.toml:2: learner.update_ration = 2: unknown key"));
  EXPECT_THAT(said, HasSubstr("did you mean learner.update_ratio?"));
}

TEST_F(ConfigFile, SaysWhetherTheRiskCriticIsHeededAndWhatEvidenceItNeeds) {
  const auto config = With(R"(
[safety]
risk_scale_min = 0.2
[learner]
risk_critic = "auto"
[learner.risk.evidence]
near_misses_min = 80
)");
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->safety.risk_scale_min, 0.2);
  EXPECT_EQ(config->learner.risk_critic, learner::RiskAdvice::kAuto);
  EXPECT_EQ(config->learner.risk.evidence.near_misses_min, 80);
  EXPECT_THAT(Refused("[learner]\nrisk_critic = \"always\"\n"), HasSubstr("must be one of \"off\", \"auto\""));
  EXPECT_THAT(Refused("[safety]\nrisk_scale_min = 0\n"), HasSubstr("safety.risk_scale_min = 0: must be in (0, 1]"));
}

TEST_F(ConfigFile, AKeyInTheWrongSectionIsShownItsOwn) {
  EXPECT_THAT(Refused("[learner]\nhome_m = [0, 0, 0]\n"), HasSubstr("did you mean scene.home_m?"));
}

TEST_F(ConfigFile, ARoomColderThanSafetyBelievesAMotorToBeIsRefused) {
  EXPECT_THAT(Refused("[cell.drives]\nambient_c = 4\n"),
              HasSubstr("cell.drives.ambient_c = 4: must be above safety.temperature_c_min = 5"));
}

TEST_F(ConfigFile, AWrongUnitIsToldTheRightOne) {
  EXPECT_THAT(Refused("[camera]\nframe_wait_ms = 500\n"),
              HasSubstr("robot.toml:2: camera.frame_wait_ms = 500: unknown key: wrong unit, this is given as "
                        "camera.frame_wait_s; convert the value"));
  EXPECT_THAT(Refused("[camera]\nframe_wait = 0.5\n"), HasSubstr("wrong unit, this is given as camera.frame_wait_s"));
  EXPECT_THAT(Refused("[camera]\nfield_of_view_deg = 46\n"), HasSubstr("given as camera.field_of_view_rad"));
}

TEST_F(ConfigFile, ANumberOutOfRangeIsToldTheRange) {
  EXPECT_THAT(Refused("[learner]\nupdate_ratio = 1000\n"),
              HasSubstr("robot.toml:2: learner.update_ratio = 1000: must be a number in [0.01, 64]"));
  EXPECT_THAT(Refused("[practice]\nwall_share = 1.5\n"), HasSubstr("must be a number in [0, 1]"));
}

/// With its line, and before anything else is judged.
TEST_F(ConfigFile, AKeyOfSafetyHasTheRangeThatSafetyGivesIt) {
  const std::pair<const char*, const char*> beyond[] = {
      {"escape_speed_rad_s_max = 1.5", "[0, 1]"},   {"rest_speed_rad_s_max = 1.5", "[0, 1]"},
      {"contact_force_n_max = 1001", "[0, 1000]"},  {"contact_time_constant_s = 0.75", "[0, 0.5]"},
      {"clears_per_hour_max = 257", "[1, 256]"},    {"clears_per_hour_max = 0", "[1, 256]"},
      {"blind_ticks_max = 101", "[1, 100]"},        {"blind_ticks_max = 0", "[1, 100]"},
      {"power_up_ticks_max = 10001", "[1, 10000]"}, {"control_period_s = 0.0104", "[0.001, 0.01]"},
      {"peer_wait_s_max = 10.1", "[0.001, 10]"}};
  for (const auto& [line, range] : beyond)
    EXPECT_THAT(Refused("[safety]\n" + std::string(line) + "\n"),
                AllOf(HasSubstr("robot.toml:2: safety." + std::string(line) + ": must be a "), HasSubstr(range)));
}

TEST_F(ConfigFile, AJawThatIsNeverOpenIsRefused) {
  EXPECT_THAT(Refused("[scene]\njaw_open_rad = 0.7\n"), HasSubstr("scene.jaw_wide_rad = 0.76"));
}

TEST_F(ConfigFile, AZoneThatNoObjectFitsInIsRefused) {
  const std::string refused = Refused("[scene]\nobject_half_m = 0.09\n");
  EXPECT_THAT(refused, HasSubstr("scene.tray.x_m_max = 0.285: 0.17 m from scene.tray.x_m_min"));
  EXPECT_THAT(refused, HasSubstr("an object is 0.18 m wide"));
  EXPECT_THAT(Refused("[scene.bin]\ny_m_min = 0.24\n"), HasSubstr("scene.bin.y_m_max = 0.25"));
  EXPECT_THAT(Refused("[scene.tray]\nx_m_min = 0.3\n"), HasSubstr("scene.tray.x_m_max"));
}

TEST_F(ConfigFile, AHomeThatTheArmCannotBeAtIsRefusedWithWhatIsInTheWay) {
  EXPECT_THAT(Refused("[scene]\nhome_m = [0.13, 0.0, 0.5]\n"), HasSubstr("must lie in the workspace"));
  EXPECT_THAT(Refused("[scene]\nhome_m = [0.01, 0.0, 0.4]\n"), HasSubstr("scene.home_m = [0.01, 0, 0.4]: "));
  EXPECT_THAT(Refused("[safety]\nq_rad_max = [1.92, 1.75, 1.2, 2.2, 2.7, 1.2]\n"), HasSubstr("takes the elbow to "));
  EXPECT_THAT(Refused(R"([[safety.boxes]]
name = "crate"
centre_m = [0.13, 0.0, 0.1]
half_m = [0.02, 0.02, 0.1]
)"),
              HasSubstr("of the box \"crate\", and safety.clearance_m is 0.004"));
}

TEST_F(ConfigFile, WhatTheArmWeighsAndWhereItMeetsThingsIsTaken) {
  const auto config = With(R"([safety]
torque_nm_max = [2, 3, 2, 2, 2, 0.3]
grip_torque_nm_max = 0.2
payload_kg_max = 0.05
contact_time_constant_s = 0.02
[[safety.masses]]
name = "arm"
moved_by = "lift"
mass_kg = 0.2
centre_m = [0, 0, 0.1]
inertia_kg_m2 = [1e-4, 1e-4, 1e-5]
[[safety.contact_zones]]
name = "tray"
min_m = [0.1, -0.1, 0.0]
max_m = [0.3, 0.1, 0.05]
)");
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->safety.torque_nm_max[core::kLift], 3);
  EXPECT_EQ(config->safety.grip_torque_nm_max, 0.2);
  EXPECT_EQ(config->safety.payload_kg_max, 0.05);
  EXPECT_EQ(config->safety.contact_time_constant, std::chrono::milliseconds(20));
  ASSERT_EQ(config->safety.masses.size(), 1u);
  EXPECT_EQ(config->safety.masses[0].moved_by, core::kLift);
  EXPECT_EQ(config->safety.masses[0].centre_m, (core::Vec3{0, 0, 0.1}));
  ASSERT_EQ(config->safety.contact_zones.size(), 1u);
  EXPECT_EQ(config->safety.contact_zones[0].max_m, (core::Vec3{0.3, 0.1, 0.05}));
}

TEST_F(ConfigFile, LimitsWithoutACheckedStopAreRefusedWithTheJointAndTheNumbers) {
  EXPECT_THAT(Refused("[safety]\npayload_kg_max = 0.6\n"),
              AllOf(HasSubstr("robot.toml: safety.torque_nm_max["), HasSubstr("payload_kg_max = 0.6")));
}

TEST_F(ConfigFile, ContactIsWatchedAsItIsShipped) {
  const auto config = LoadConfig(tests::SourceTree() + "/configs/tabletop.toml");
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_FALSE(config->safety.contact_zones.empty());
}

TEST_F(ConfigFile, HandAndEyesAgreeOnTheJaw) {
  const auto config = With("[scene]\njaw_wide_rad = 0.7\n");
  ASSERT_TRUE(config);
  EXPECT_DOUBLE_EQ(config->perception.jaw_wide_rad, 0.7);
}

TEST_F(ConfigFile, TheTimesThatVerdictsMustHoldAreTaken) {
  const auto config =
      ParseConfig(std::string(kLeast) + "failure_hold_s = 0.3\nsuccess_hold_s = 0.2\n", "r.toml", folder_);
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->tasks[0].failure_hold, core::Seconds(0.3));
  EXPECT_EQ(config->tasks[0].success_hold, core::Seconds(0.2));
}

TEST_F(ConfigFile, NotANumberIsInNoRange) {
  EXPECT_THAT(Refused("[learner]\nupdate_ratio = nan\n"), HasSubstr("learner.update_ratio = nan: must be a number in"));
}

TEST_F(ConfigFile, TheWrongTypeIsToldTheRightOne) {
  EXPECT_THAT(Refused("[learner]\nupdate_ratio = \"fast\"\n"),
              HasSubstr("learner.update_ratio = fast: must be a number"));
  EXPECT_THAT(Refused("[learner.agent]\nwidth = 12.5\n"), HasSubstr("must be a whole number in [8, 1024]"));
  EXPECT_THAT(Refused("[practice]\nrecovery = 1\n"), HasSubstr("must be true or false"));
  EXPECT_THAT(Refused("[scene]\nhome_m = [0.1, 0.2]\n"), HasSubstr("must be 3 numbers"));
  EXPECT_THAT(Refused("perception = \"xray\"\n"), HasSubstr("must be one of \"camera\", \"ground_truth\""));
  EXPECT_THAT(Refused("[metrics]\nlisten = 2026-01-01\n"), HasSubstr("robot.toml:2: metrics.listen"));
}

TEST_F(ConfigFile, AMessThatDoesNotExistIsToldThoseThatDo) {
  EXPECT_THAT(ParseConfig("[cell]\nmess = \"awful\"\n", "robot.toml", folder_).error().detail, HasSubstr("full"));
}

TEST_F(ConfigFile, AChangeToANamedMessCountsWhereverItStands) {
  const auto config =
      ParseConfig("[cell.changed_mess]\nglare_share = 0.5\n" + std::string(kLeast) + "[cell.drives]\nambient_c = 20\n",
                  "r.toml", folder_);
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->cell.mess.glare_share, 0.5);
}

TEST_F(ConfigFile, BrokenTomlIsNamedWithItsLine) {
  EXPECT_THAT(Refused("[learner]\nupdate_ratio = = 2\n"), HasSubstr("robot.toml:2: "));
}

TEST_F(ConfigFile, AConditionThatDoesNotParseIsNamedWithItsTaskAndLine) {
  const auto config = ParseConfig(std::string(kLeast) +
                                      "[[tasks]]\nname = \"odd\"\nstart = \"in_trai\"\nsuccess = \"held\"\n"
                                      "script = \"pick\"\n",
                                  "robot.toml", folder_);
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().detail, HasSubstr("robot.toml:9: tasks.odd: "));
  EXPECT_THAT(config.error().detail, HasSubstr("in_trai"));
}

TEST_F(ConfigFile, TwoTasksOfOneNameAreRefused) {
  const auto config = ParseConfig(std::string(kLeast) + "[[tasks]]\nname = \"pick\"\n", "robot.toml", folder_);
  EXPECT_THAT(config.error().detail, HasSubstr("tasks.pick: this name is taken"));
}

TEST_F(ConfigFile, AMotionThatDoesNotExistIsToldThoseThatDo) {
  const auto config = ParseConfig(
      "[cell]\nmodel_file = \"model.xml\"\n[[tasks]]\nname = \"pick\"\nstart = \"in_tray\"\n"
      "success = \"held\"\nscript = \"juggle\"\n",
      "robot.toml", folder_);
  EXPECT_THAT(config.error().detail, HasSubstr("unknown motion; those that exist:"));
  EXPECT_THAT(config.error().detail, HasSubstr("pick"));
}

TEST_F(ConfigFile, NoTaskAtAllIsRefused) {
  const auto config = ParseConfig("[cell]\nmodel_file = \"model.xml\"\n", "robot.toml", folder_);
  EXPECT_THAT(config.error().detail, HasSubstr("at least one task"));
}

TEST_F(ConfigFile, AMissingModelFileIsNamedWithKeyAndPath) {
  const auto config = ParseConfig("[cell]\nmodel_file = \"gone.xml\"\n", "robot.toml", folder_);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, FaultCode::kMissingFile);
  EXPECT_THAT(config.error().detail,
              HasSubstr("cell.model_file = gone.xml: there is no file " + folder_ + "/gone.xml"));
}

TEST_F(ConfigFile, AMissingConfigurationFileIsNamed) {
  const auto config = LoadConfig(folder_ + "/none.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, FaultCode::kMissingFile);
  EXPECT_THAT(config.error().detail, HasSubstr(folder_ + "/none.toml"));
  EXPECT_EQ(LoadConfig(folder_).error().code, FaultCode::kMissingFile);
}

}  // namespace
}  // namespace nightshift::runtime
