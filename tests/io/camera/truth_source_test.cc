// SPDX-License-Identifier: Apache-2.0
#include "io/camera/truth_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <unistd.h>

#include "io/wire/nightshift.pb.h"

namespace nightshift::io {
namespace {

constexpr Wait kPoll{20}, kAnswerWait{2000}, kShortWait{30};  // Wall time.

/// A cell that answers `answers` questions with one object, then falls silent.
class OneObjectCell {
 public:
  OneObjectCell(const std::string& endpoint, int answers)
      : replier_(Replier::Bind(endpoint).value()), left_(answers), thread_([this] { Serve(); }) {}
  ~OneObjectCell() {
    over_ = true;
    thread_.join();
  }

 private:
  void Serve() {
    while (!over_) {
      const auto request = replier_.Receive(kPoll);
      if (!request || left_-- <= 0) continue;
      wire::CellReply reply;
      auto* at = reply.mutable_truth()->add_objects_m();
      at->set_x(0.2);
      at->set_z(0.014);
      replier_.Reply(*request, reply.SerializeAsString());
    }
  }
  Replier replier_;
  int left_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

std::string FreshEndpoint() {
  static int count = 0;
  return "ipc:///tmp/ns-truth-" + std::to_string(getpid()) + "-" + std::to_string(count++);
}

TEST(TruthSource, TellsWhatTheCellKnowsWithFullConfidence) {
  const std::string endpoint = FreshEndpoint();
  OneObjectCell cell(endpoint, 1);
  auto source = TruthSource::Connect(endpoint, kAnswerWait);
  ASSERT_TRUE(source);
  const Sighting seen = source->Look({.now = core::Instant(core::Seconds(1)), .tip_m = {}});
  EXPECT_EQ(seen.frame, core::FrameHealth::kGood);
  ASSERT_EQ(seen.object_count, 1);
  EXPECT_EQ(seen.objects[0].position_m, (core::Vec3{0.2, 0, 0.014}));
  EXPECT_EQ(seen.objects[0].confidence, 1);
}

TEST(TruthSource, ASilentCellLeavesTheLastPlacesGrowingOlder) {
  const std::string endpoint = FreshEndpoint();
  OneObjectCell cell(endpoint, 1);
  auto source = TruthSource::Connect(endpoint, kAnswerWait);
  ASSERT_TRUE(source);
  source->Look({.now = core::Instant(core::Seconds(1)), .tip_m = {}});
  auto patient = std::move(*source);
  const Sighting seen = patient.Look({.now = core::Instant(core::Seconds(1.5)), .tip_m = {}});
  EXPECT_EQ(seen.frame, core::FrameHealth::kAbsent);
  EXPECT_EQ(seen.why_absent->code, core::FaultCode::kPeerTimeout);
  EXPECT_EQ(seen.objects[0].age, core::Seconds(0.5));
  EXPECT_EQ(seen.objects[0].position_m, (core::Vec3{0.2, 0, 0.014}));
}

TEST(TruthSource, NobodyThereIsAbsentFromTheStart) {
  auto source = TruthSource::Connect(FreshEndpoint(), kShortWait);
  ASSERT_TRUE(source);
  const Sighting seen = source->Look({.now = core::Instant(core::Seconds(1)), .tip_m = {}});
  EXPECT_EQ(seen.frame, core::FrameHealth::kAbsent);
  EXPECT_EQ(seen.object_count, 0);
}

}  // namespace
}  // namespace nightshift::io
