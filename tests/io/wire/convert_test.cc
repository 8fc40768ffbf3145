// SPDX-License-Identifier: Apache-2.0
#include "io/wire/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.h"
#include "io/wire/nightshift.pb.h"
#include "io/wire/parse.h"

namespace nightshift::io {
namespace {

using core::FaultCode;
using testing::HasSubstr;

core::JointState SomeJoints() {
  core::JointState joints{.time = core::FromNanoseconds(123456789), .sequence = 9, .axes = 6, .powered = true};
  for (std::size_t i = 0; i < 6; ++i) {
    const double x = 0.1 * static_cast<double>(i + 1);
    joints.q_rad[i] = x;
    joints.dq_rad_s[i] = -x;
    joints.torque_nm[i] = 2 * x;
    joints.current_a[i] = 3 * x;
    joints.temperature_c[i] = 30 + x;
  }
  return joints;
}

core::Observation SomeObservation() {
  core::Observation seen{.time = core::FromNanoseconds(5), .joints = SomeJoints(), .tip_m = {0.1, 0.2, 0.3}};
  seen.commanded_tip_m = {0.11, 0.21, 0.31};
  seen.jaw_rad = 0.4;
  seen.jaw_command_rad = 0.5;
  seen.jaw_torque_nm = -0.2;
  seen.frame = core::FrameHealth::kFrozen;
  seen.frame_age = core::Duration(77);
  seen.object_count = 2;
  seen.objects[0] = {{0.2, 0, 0.01}, 0.9, core::Duration(3)};
  seen.objects[1] = {{0.1, -0.1, 0.01}, 0.4, core::Duration(4)};
  return seen;
}

core::Transition SomeTransition() {
  return {.before = SomeObservation(),
          .proposed = {0.1f, -1, 1, 0.25f},
          .applied = {0.05f, -1, 0.5f, 1},
          .verdict = core::Verdict::kLimited,
          .limit = core::LimitId::kWorkspace,
          .risk_scale = 0.25f,
          .strain = 0.8f,
          .stop = core::StopCause::kStall,
          .reward = -0.01f,
          .after = SomeObservation(),
          .ended = core::Outcome::kSuccess};
}

/// The same message twice means the same value: the messages hold every field.
template <typename Message, typename Core>
std::string Bytes(const Core& value) {
  Message message;
  Encode(value, &message);
  return message.SerializeAsString();
}

template <typename Message, typename Core>
void ExpectRoundTrip(const Core& value) {
  Message message;
  Encode(value, &message);
  const auto decoded = Decode(message);
  ASSERT_TRUE(decoded) << decoded.error().detail;
  EXPECT_EQ(Bytes<Message>(*decoded), message.SerializeAsString());
  EXPECT_FALSE(message.SerializeAsString().empty());
}

TEST(Convert, EveryTypeComesBackAsItWent) {
  ExpectRoundTrip<wire::Vec3>(core::Vec3{1, -2, 3});
  ExpectRoundTrip<wire::JointState>(SomeJoints());
  ExpectRoundTrip<wire::Observation>(SomeObservation());
  ExpectRoundTrip<wire::Transition>(SomeTransition());
  ExpectRoundTrip<wire::ProposedAction>(core::ProposedAction{
      .epoch = 3, .sequence = 4, .deadline = core::FromNanoseconds(99), .axes = 6, .target_q_rad = {1, 2, 3, 4, 5, 6}});
  ExpectRoundTrip<wire::LatchReport>(core::LatchReport{.first = core::StopCause::kStall,
                                                       .worst = core::StopCause::kOperator,
                                                       .id = 5,
                                                       .nonce = 0xFFFFFFFFFFFFFFFF,
                                                       .epoch = 8,
                                                       .needs_person = true,
                                                       .inspecting = true});
  ExpectRoundTrip<wire::PeriodReport>(
      core::PeriodReport{.joints = SomeJoints(),
                         .commanded_q_rad = {6, 5, 4, 3, 2, 1},
                         .verdict = core::Verdict::kStopped,
                         .limit = core::LimitId::kLatched,
                         .margin = -0.5,
                         .ticks_limited = 25,
                         .sequence = 17,
                         .person = {.presence = core::Presence::kSeen, .distance_m = 1.5, .speed_scale = 0.25},
                         .strain = 0.6});
}

TEST(Convert, APeriodReportSaysHowNearTheArmCameToAStop) {
  wire::PeriodReport message;
  Encode(core::PeriodReport{.joints = SomeJoints(), .strain = 0.6}, &message);
  EXPECT_EQ(message.strain(), 0.6);
  EXPECT_EQ(Decode(message)->strain, 0.6);
  message.set_strain(std::nan(""));
  EXPECT_FALSE(Decode(message));
}

TEST(Convert, FieldsArriveInTheirPlaces) {
  wire::Transition message;
  Encode(SomeTransition(), &message);
  const auto decoded = Decode(message);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->before.joints.torque_nm[2], SomeJoints().torque_nm[2]);
  EXPECT_EQ(decoded->before.joints.temperature_c[5], SomeJoints().temperature_c[5]);
  EXPECT_EQ(decoded->after.objects[1].position_m, (core::Vec3{0.1, -0.1, 0.01}));
  EXPECT_EQ(decoded->after.commanded_tip_m.y, 0.21);
  EXPECT_EQ(decoded->applied[2], 0.5f);
  EXPECT_EQ(decoded->verdict, core::Verdict::kLimited);
  EXPECT_EQ(decoded->limit, core::LimitId::kWorkspace);
  EXPECT_EQ(decoded->ended, core::Outcome::kSuccess);
}

TEST(Convert, ThatTheRiskCriticWasNotAskedIsNotThatItRefused) {
  core::Transition step = SomeTransition();
  for (const std::optional<float> scale : {std::optional<float>(), std::optional(0.0f), std::optional(1.0f)}) {
    step.risk_scale = scale;
    wire::Transition message;
    Encode(step, &message);
    EXPECT_EQ(Decode(message)->risk_scale, scale);
  }
}

TEST(Convert, ATransitionOfAnEarlierVersionKnowsOfNoRiskNorStop) {
  wire::Transition message;
  Encode(SomeTransition(), &message);
  message.clear_risk_scale();
  message.clear_strain();
  message.clear_stop();
  const auto decoded = Decode(message);
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->risk_scale.has_value());
  EXPECT_EQ(decoded->strain, 0);
  EXPECT_EQ(decoded->stop, core::StopCause::kNone);
}

TEST(Convert, EveryStopIsRecordedByItsNameAndOneThatIsNoneIsRefused) {
  core::Transition step = SomeTransition();
  wire::Transition message;
  for (const core::StopCause cause : core::kStopCauses) {
    step.stop = cause;
    Encode(step, &message);
    EXPECT_EQ(message.stop(), Name(cause));
    EXPECT_EQ(Decode(message)->stop, cause);
  }
  message.set_stop("melted");
  const auto decoded = Decode(message);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, FaultCode::kMalformedMessage);
  EXPECT_THAT(decoded.error().detail, HasSubstr("melted"));
}

TEST(Convert, RefusesStrainAndRiskThatAreNotFinite) {
  wire::Transition message;
  for (const bool strain : {true, false}) {
    Encode(SomeTransition(), &message);
    strain ? message.set_strain(std::nanf("")) : message.set_risk_scale(HUGE_VALF);
    ASSERT_FALSE(Decode(message));
    EXPECT_EQ(Decode(message).error().code, FaultCode::kNotFinite);
  }
  wire::PeriodReport report;
  report.set_strain(HUGE_VAL);
  EXPECT_EQ(Decode(report).error().code, FaultCode::kNotFinite);
}

TEST(Convert, EncodingOverwritesWhatWasThere) {
  wire::Observation message;
  Encode(SomeObservation(), &message);
  Encode(SomeObservation(), &message);
  EXPECT_EQ(message.objects_size(), 2);
  EXPECT_EQ(message.joints().q_rad_size(), 6);
}

TEST(Convert, RefusesAWrongNumberOfAxes) {
  wire::JointState message;
  Encode(SomeJoints(), &message);
  message.add_torque_nm(1);
  const auto decoded = Decode(message);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, FaultCode::kMalformedMessage);
  EXPECT_THAT(decoded.error().detail, HasSubstr("torque_nm has 7 values: 6 belong there"));
}

TEST(Convert, RefusesMoreAxesThanThereCanBe) {
  wire::ProposedAction proposal;
  for (int i = 0; i < 1000; ++i) proposal.add_target_q_rad(0);
  EXPECT_EQ(Decode(proposal).error().code, FaultCode::kMalformedMessage);
  wire::JointState joints;
  for (int i = 0; i < 1000; ++i) joints.add_q_rad(0);
  EXPECT_EQ(Decode(joints).error().code, FaultCode::kMalformedMessage);
}

TEST(Convert, RefusesMoreObjectsThanThereCanBe) {
  wire::Observation message;
  Encode(SomeObservation(), &message);
  for (int i = 0; i < 10; ++i) message.add_objects();
  EXPECT_EQ(Decode(message).error().code, FaultCode::kMalformedMessage);
}

TEST(Convert, RefusesWhatIsNotFinite) {
  wire::Transition message;
  Encode(SomeTransition(), &message);
  message.mutable_after()->mutable_tip_m()->set_y(std::nan(""));
  const auto decoded = Decode(message);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, FaultCode::kNotFinite);
  EXPECT_THAT(decoded.error().detail, HasSubstr("tip_m"));
}

TEST(Convert, LeavesTheNumbersOfAProposalToTheFilterToJudge) {
  wire::ProposedAction message;
  message.add_target_q_rad(std::numeric_limits<double>::infinity());
  EXPECT_TRUE(Decode(message));
}

TEST(Convert, RefusesEnumsOutOfRange) {
  wire::PeriodReport report;
  Encode(core::PeriodReport{.joints = SomeJoints()}, &report);
  report.set_limit(1000);
  const auto decoded = Decode(report);
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().detail, HasSubstr("limit = 1000: must be in [0, "));
  wire::LatchReport latch;
  latch.set_worst(99);
  EXPECT_FALSE(Decode(latch));
}

TEST(Convert, AFaultKeepsItsCodeAcrossTheWire) {
  for (int code = 0; code <= static_cast<int>(FaultCode::kAlreadyRunning); ++code) {
    wire::Refusal message;
    Encode(core::Fault{static_cast<FaultCode>(code), "why"}, &message);
    EXPECT_EQ(Decode(message).code, static_cast<FaultCode>(code));
    EXPECT_EQ(Decode(message).detail, "why");
  }
}

TEST(Convert, AnUnknownFaultCodeIsARefusalThatNamesIt) {
  wire::Refusal message;
  message.set_code("from_the_future");
  EXPECT_EQ(Decode(message).code, FaultCode::kRefused);
  EXPECT_THAT(Decode(message).detail, HasSubstr("from_the_future"));
}

TEST(Convert, ATransitionsBlobComesBackAndACutOneDoesNot) {
  const std::string blob = ToBytes(SomeTransition());
  const auto back = TransitionFromBytes(blob);
  ASSERT_TRUE(back);
  EXPECT_EQ(ToBytes(*back), blob);
  // Behind `after` stand fields without which a blob is whole: ended, risk_scale, strain, stop ("stall").
  constexpr std::size_t kOptionalBytes = 2 + 5 + 5 + 7;
  for (std::size_t size = 0; size < blob.size() - kOptionalBytes; ++size)
    ASSERT_FALSE(TransitionFromBytes(blob.substr(0, size))) << size;
}

TEST(Parse, SurvivesRandomBytes) {
  const std::uint64_t seed = 11;
  core::Random random(seed);
  const std::string good = ToBytes(SomeTransition());
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    for (int change = 0; change < 4; ++change)
      bytes[static_cast<std::size_t>(random.Index(static_cast<int>(bytes.size())))] =
          static_cast<char>(random.Index(256));
    const auto decoded = TransitionFromBytes(bytes);
    if (!decoded) continue;
    ++accepted;
    ASSERT_TRUE(core::IsFinite(decoded->before.joints.q_rad, decoded->before.joints.axes)) << "seed " << seed;
    ASSERT_LE(decoded->after.object_count, core::kObjectsMax);
  }
  EXPECT_GT(accepted, 0);
}

TEST(Parse, NamesTheTypeThatTheBytesAreNot) {
  const auto message = Parse<wire::SafetyRequest>("\xff\xff\xff");
  ASSERT_FALSE(message);
  EXPECT_THAT(message.error().detail, HasSubstr("nightshift.wire.SafetyRequest"));
}

}  // namespace
}  // namespace nightshift::io
