// SPDX-License-Identifier: Apache-2.0
#include "runtime/learner_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "io/journal/instance_lock.h"
#include "io/journal/sqlite_journal.h"
#include "io/wire/nightshift.pb.h"
#include "skills/policy.h"
#include "skills/sealed_file.h"
#include "tests/learner/point_world.h"
#include "tests/learner/risk_world.h"

namespace nightshift::runtime {
namespace {

using core::FaultCode;
using testing::HasSubstr;
using tests::PointWorld;

constexpr int kLooksMax = 20000;  // At must_end; each is at least one pass of the learner's loop.

/// A data directory with a journal of the point world.
class LearnerService : public testing::Test {
 protected:
  void SetUp() override {
    data_ = std::filesystem::path("/tmp") / ("ns_learner_" + std::to_string(::getpid()));
    std::filesystem::remove_all(data_);
    std::filesystem::create_directories(data_ / "run");
    options_.learner = tests::SmallConfig();
    options_.learner.publish_every = 200;
    options_.learner.status_period_s = 0.05;
    options_.scene = world_.scene();
    options_.tasks = {PointWorld::Reach()};
    options_.data_directory = data_;
    options_.endpoints = *io::EndpointsIn((data_ / "run").string());
    options_.version = "test";
  }
  void TearDown() override { std::filesystem::remove_all(data_); }

  void Journal(int episodes, core::SkillKind skill = core::SkillKind::kScripted) {
    JournalOf(episodes, [this, skill] {
      auto episode = world_.Script();
      episode.skill = skill;
      steps_learned_ += skill == core::SkillKind::kLearned ? episode.steps.size() : 0;
      return episode;
    });
  }

  template <typename Next>
  void JournalOf(int episodes, Next next) {
    auto journal = io::SqliteJournal::Open(data_);
    ASSERT_TRUE(journal) << journal.error().detail;
    for (int i = 0; i < episodes; ++i) {
      core::Episode episode = next();
      episode.id = (*journal)->NextEpisodeId();
      ASSERT_TRUE((*journal)->Begin(episode));
      for (std::size_t s = 0; s < episode.steps.size(); ++s)
        ASSERT_TRUE((*journal)->Append(episode.id, static_cast<int>(s), episode.steps[s]));
      ASSERT_TRUE((*journal)->Close(episode));
      last_episode_ = episode.id;
    }
  }

  /// Runs until the learner says in its status what is waited for.
  template <typename Wanted>
  std::optional<wire::LearnerStatus> RunUntil(Wanted wanted) {
    auto ear = io::Subscriber::Connect(options_.endpoints.learner_state);
    std::optional<wire::LearnerStatus> seen;
    int looks = 0;
    const auto served = ServeLearner(options_, [&] {
      if (const auto bytes = ear->Latest(io::Wait(0))) {
        wire::LearnerStatus status;
        if (status.ParseFromString(*bytes) && wanted(status)) seen = status;
      }
      return seen.has_value() || ++looks > kLooksMax;
    });
    EXPECT_TRUE(served) << served.error().detail;
    return seen;
  }

  /// Has read all of the journal, which takes several reads, and owes nothing.
  auto CaughtUp() const {
    return [this](const wire::LearnerStatus& status) {
      return status.cursor() == last_episode_ && status.updates() > 0 && status.backlog() < 1 &&
             status.agents(0).published_version() > 0;
    };
  }

  std::filesystem::path data_;
  PointWorld world_{1};
  LearnerServiceOptions options_;
  std::size_t steps_learned_ = 0;
  std::int64_t last_episode_ = 0;
};

TEST_F(LearnerService, TrainsFromTheJournalAndPublishesPoliciesThatAct) {
  Journal(30);
  const auto status = RunUntil(CaughtUp());
  ASSERT_TRUE(status);
  EXPECT_GT(status->transitions(), 0u);
  EXPECT_EQ(status->agents(0).task(), "reach");
  const auto version = std::to_string(status->agents(0).published_version());
  const auto snapshot = skills::ReadSnapshot((data_ / "snapshots" / ("reach-" + version + ".nspolicy")).string());
  ASSERT_TRUE(snapshot) << snapshot.error().detail;
  auto policy = skills::LearnedPolicy::Make(snapshot->weights);
  ASSERT_TRUE(policy);
  EXPECT_GT(PointWorld(5).Evaluate(*policy, 100), 0.3);
  EXPECT_GT(status->agents(0).solved_episodes(), 0u);
  EXPECT_GT(status->update_ratio(), 0);
  const auto saved = skills::ReadSealed((data_ / "learner" / "status").string(), FaultCode::kCorruptState);
  wire::LearnerStatus last;
  ASSERT_TRUE(saved && last.ParseFromString(*saved)) << "for a doctor who comes later";
  EXPECT_GE(last.updates(), status->updates());
}

TEST_F(LearnerService, TellsItsHealthOnceItLearns) {
  options_.learner.healthy_every = 50;
  Journal(30);
  const auto status = RunUntil([](const wire::LearnerStatus& seen) { return seen.agents(0).has_health(); });
  ASSERT_TRUE(status);
  const auto& health = status->agents(0).health();
  EXPECT_GT(health.feature_rank(), 0);
  EXPECT_LE(health.feature_rank(), static_cast<double>(health.features()));
  EXPECT_GT(health.weight_norm(), 0);
  EXPECT_FALSE(status->agents(0).publishing_stopped());
}

TEST_F(LearnerService, TellsTheMetricsWhatMustBeKnownOfItsHealth) {
  options_.learner.healthy_every = 50;
  options_.learner.held_out_every = 2;
  auto metrics = io::Replier::Bind(options_.endpoints.metrics);
  ASSERT_TRUE(metrics) << metrics.error().detail;
  Journal(30);
  Journal(20, core::SkillKind::kLearned);
  std::string exposition;
  ASSERT_TRUE(RunUntil([&](const wire::LearnerStatus&) {
    while (const auto request = metrics->Receive(io::Wait(0))) {
      wire::MetricsReport report;
      if (report.ParseFromString(request->body)) exposition = report.exposition();
      metrics->Reply(*request, "");
    }
    return exposition.find("nightshift_learner_q_bias{") != std::string::npos;
  })) << exposition;
  EXPECT_THAT(exposition, HasSubstr("nightshift_learner_value_range{task=\"reach\"} 2\n"));
  EXPECT_THAT(exposition, HasSubstr("nightshift_learner_publishing{task=\"reach\"} 1\n"));
  EXPECT_THAT(exposition, HasSubstr("nightshift_degraded{mode=\"learner_diverges\"} 0\n"));
  for (const char* figure : {"backlog_updates", "dormant_ratio", "feature_rank", "features", "held_out_episodes",
                             "q_size", "saturated_ratio", "updates_since_sample", "value_error"})
    EXPECT_THAT(exposition, HasSubstr(std::string("nightshift_learner_") + figure + "{task=\"reach\"}"));
}

TEST_F(LearnerService, TrainsTheRiskCriticBesideAndPublishesItWithHowItStands) {
  tests::RiskWorld risky(1);
  JournalOf(60, [&] { return risky.Practise(); });
  options_.learner.risk.update_ratio = 0.2;
  options_.learner.risk.publish_every = 50;
  const auto file = (data_ / "snapshots" / skills::kRiskFileName).string();
  const auto published = [&] {
    const auto snapshot = skills::ReadRiskSnapshot(file);
    return snapshot && snapshot->report.updates >= 50;
  };
  const auto status =
      RunUntil([&](const wire::LearnerStatus& seen) { return seen.cursor() == last_episode_ && published(); });
  ASSERT_TRUE(status);
  EXPECT_THAT(status->risk(), testing::MatchesRegex("off, [0-9]+ of 50 near misses seen"));
  const auto snapshot = skills::ReadRiskSnapshot(file);
  EXPECT_EQ(snapshot->report.standing, skills::RiskStanding::kGathering);
  EXPECT_TRUE(skills::RiskModel::Make(*snapshot));
}

TEST_F(LearnerService, GoesOnWhereItWasAfterARestart) {
  Journal(30);
  const auto first = RunUntil(CaughtUp());
  ASSERT_TRUE(first);
  Journal(5, core::SkillKind::kLearned);
  const auto second = RunUntil([&](const wire::LearnerStatus& status) {
    return status.transitions() == first->transitions() + steps_learned_ && status.backlog() < 1;
  });
  ASSERT_TRUE(second);
  const double due = options_.learner.update_ratio * static_cast<double>(steps_learned_);
  EXPECT_EQ(static_cast<double>(second->updates()), static_cast<double>(first->updates()) + due)
      << "neither lost nor counted twice";
  EXPECT_GE(second->agents(0).published_version(), first->agents(0).published_version());
}

/// A journal that was put back from a copy, or begun anew beside an old manifest.
TEST_F(LearnerService, LearnsOnWhereTheJournalEndsBeforeWhatItsManifestKnows) {
  Journal(30);
  const auto first = RunUntil(CaughtUp());
  ASSERT_TRUE(first);
  for (const auto& entry : std::filesystem::directory_iterator(data_))
    if (entry.path().filename() != "learner" && entry.path().filename() != "run")
      std::filesystem::remove_all(entry.path());
  Journal(12);
  ASSERT_TRUE(RunUntil([](const wire::LearnerStatus& status) { return status.state() == "waiting for data"; }));
  Journal(5, core::SkillKind::kLearned);
  const auto last = RunUntil([&](const wire::LearnerStatus& status) {
    return status.transitions() == first->transitions() + steps_learned_ && status.backlog() < 1;
  });
  ASSERT_TRUE(last) << "ids that the manifest knows are new episodes here";
  EXPECT_GT(last->updates(), first->updates());
}

TEST_F(LearnerService, PublishesNoHalfMadeCloneWhileItReadsTheJournalAgain) {
  options_.learner.agent.clone_updates = 1000000;
  options_.learner.episodes_per_read = 1;  // The first one read shows nothing.
  JournalOf(1, [this] {
    auto episode = world_.Script();
    episode.outcome = core::Outcome::kFailure;
    return episode;
  });
  Journal(30);
  const auto cloning = [this](const wire::LearnerStatus& status) {
    return status.cursor() == last_episode_ && status.backlog() < options_.learner.agent.clone_updates;
  };
  ASSERT_TRUE(RunUntil(cloning));
  const auto second = RunUntil(cloning);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->agents(0).published_version(), 0);
}

TEST_F(LearnerService, SaysOfEachSnapshotWhatItsCriticsMakeOfWhatWasHeldOut) {
  options_.learner.held_out_every = 2;
  options_.learner.healthy_every = 1000000;  // As just after a restart: no look at its health yet.
  Journal(30);
  Journal(20, core::SkillKind::kLearned);
  const auto status = RunUntil([&](const wire::LearnerStatus& seen) {
    return seen.cursor() == last_episode_ && seen.backlog() < 1 && seen.agents(0).published_version() > 1;
  });
  ASSERT_TRUE(status);
  const auto version = std::to_string(status->agents(0).published_version());
  const auto snapshot = skills::ReadSnapshot((data_ / "snapshots" / ("reach-" + version + ".nspolicy")).string());
  ASSERT_TRUE(snapshot) << snapshot.error().detail;
  ASSERT_TRUE(snapshot->held_out);
  EXPECT_GT(snapshot->held_out->episodes, 0);
}

TEST_F(LearnerService, WaitsForDataWhereThereIsNoJournalYet) {
  const auto status = RunUntil([](const wire::LearnerStatus& s) { return s.state() == "waiting for data"; });
  ASSERT_TRUE(status);
  EXPECT_EQ(status->updates(), 0u);
}

TEST_F(LearnerService, LearnsRecoveryTasksThatTheCatalogueNames) {
  {
    auto journal = io::SqliteJournal::Open(data_);
    core::TaskSpec regain = PointWorld::Reach();
    regain.name = "regain";
    regain.failure_kind = "dropped";
    ASSERT_TRUE((*journal)->SaveTask(regain));
  }
  Journal(20);
  const auto status = RunUntil([](const wire::LearnerStatus& s) { return s.agents_size() == 2 && s.cursor() > 0; });
  ASSERT_TRUE(status);
  EXPECT_EQ(status->agents(1).task(), "regain");
  EXPECT_GT(status->agents(1).samples(), 0u) << "reaching says something about regaining";
}

TEST_F(LearnerService, RefusesASecondInstanceOnTheSameData) {
  const auto other = io::InstanceLock::Acquire(data_, "learner");
  ASSERT_TRUE(other);
  const auto served = ServeLearner(options_, [] { return true; });
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().code, FaultCode::kAlreadyRunning);
}

TEST_F(LearnerService, RefusesAManifestThatIsDamagedSayingHowToGoOn) {
  std::filesystem::create_directories(data_ / "learner");
  std::ofstream(data_ / "learner" / "manifest") << std::string(100, 'x');
  const auto served = ServeLearner(options_, [] { return true; });
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().code, FaultCode::kCorruptState);
  EXPECT_THAT(served.error().detail, HasSubstr("manifest"));
  EXPECT_THAT(served.error().detail, HasSubstr("begin anew"));
}

}  // namespace
}  // namespace nightshift::runtime
