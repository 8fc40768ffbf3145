// SPDX-License-Identifier: Apache-2.0
// What must not change when the problem is stated otherwise: turned, mirrored, slower; and what may only become less
// when a limit is tightened. Of the filter as a whole, as far as it holds; of the single joint see jerk_motion_test.cc.
#include <gtest/gtest.h>

#include <functional>
#include <numbers>

#include "core/random.h"
#include "tests/safety/hostile_arm.h"

namespace nightshift::safety {
namespace {

constexpr double kQuarterRad = std::numbers::pi / 2;
constexpr double kSameRad = 1e-6;  // Rounding, through the halvings of each tick that is limited.

int PeriodTicks(const Limits& limits) { return static_cast<int>(limits.policy_period / limits.control_period); }

core::ProposedAction InTime(IdealArm& arm, const core::AxisArray& target_q_rad) {
  auto proposal = arm.Propose(target_q_rad);
  proposal.deadline = arm.now + arm.limits.policy_period * 2;
  return proposal;
}

/// Near or anywhere, also a little beyond the range.
core::AxisArray AnyTarget(core::Random& random, const IdealArm& arm) {
  core::AxisArray target = arm.filter.commanded_q_rad();
  const bool near = random.Chance(0.5);
  for (std::size_t i = 0; i < core::kArmAxes; ++i)
    target[i] = near ? target[i] + random.Uniform(-0.2, 0.2)
                     : random.Uniform(1.1 * arm.limits.q_rad_min[i], 1.1 * arm.limits.q_rad_max[i]);
  return target;
}

/// Two arms that are told the same in different words.
class Twins {
 public:
  using Restate = std::function<core::AxisArray(core::AxisArray)>;

  Twins(const Limits& limits, const Limits& other_limits, const Restate& restate)
      : arm_(limits), other_(other_limits), restate_(restate) {
    other_.seen.q_rad = restate_(arm_.seen.q_rad);
    arm_.Arm();
    other_.Arm();
  }

  /// Sends both to so many targets, for some ticks each.
  void Drive(core::Random& random, int targets) {
    const int period_ticks = PeriodTicks(arm_.limits);
    for (int i = 0; i < targets; ++i) {
      const auto target = AnyTarget(random, arm_);
      const int ticks = random.Index(2 * period_ticks) + 1;
      for (int tick = 0; tick < ticks; ++tick) Tick(tick % period_ticks == 0 ? std::optional(target) : std::nullopt);
    }
  }

  double farthest_off_rad() const { return farthest_off_rad_; }  // From each other.
  double travelled_rad() const { return travelled_rad_; }
  int verdicts_apart() const { return verdicts_apart_; }

 private:
  void Tick(const std::optional<core::AxisArray>& target) {
    const auto before = arm_.filter.commanded_q_rad();
    const Judgement one = arm_.Tick(target ? std::optional(InTime(arm_, *target)) : std::nullopt);
    const Judgement two = other_.Tick(target ? std::optional(InTime(other_, restate_(*target))) : std::nullopt);
    verdicts_apart_ += one.verdict != two.verdict || one.limit != two.limit;
    const auto same = restate_(arm_.filter.commanded_q_rad());
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      farthest_off_rad_ = std::max(farthest_off_rad_, std::abs(other_.filter.commanded_q_rad()[i] - same[i]));
      travelled_rad_ += std::abs(arm_.filter.commanded_q_rad()[i] - before[i]);
    }
  }

  IdealArm arm_, other_;
  Restate restate_;
  double farthest_off_rad_ = 0, travelled_rad_ = 0;
  int verdicts_apart_ = 0;
};

core::Vec3 TurnedByAQuarter(core::Vec3 p) { return {-p.y, p.x, p.z}; }

Limits TurnedByAQuarter(Limits limits) {
  limits.q_rad_min[core::kPan] += kQuarterRad;
  limits.q_rad_max[core::kPan] += kQuarterRad;
  const core::Vec3 low = limits.workspace_m_min, high = limits.workspace_m_max;
  limits.workspace_m_min = {-high.y, low.x, low.z};
  limits.workspace_m_max = {-low.y, high.x, high.z};
  for (BoxObstacle& box : limits.boxes) {
    box.centre_m = TurnedByAQuarter(box.centre_m);
    box.turn_rad += kQuarterRad;
  }
  for (PostObstacle& post : limits.posts) {
    post.from_m = TurnedByAQuarter(post.from_m);
    post.to_m = TurnedByAQuarter(post.to_m);
  }
  return limits;
}

/// A quarter turn rounds. Where a decision stands on the edge of a knife that tips it, and the arms part; hardly ever.
TEST(Filter, JudgesACellThatIsTurnedByAQuarterAsTheCellThatItWas) {
  const std::uint64_t seed = 61;
  core::Random random(seed);
  constexpr int kCells = 100, kTippedMax = 2;
  int tipped = 0;
  double travelled_rad = 0;
  for (int index = 0; index < kCells; ++index) {
    const Limits limits = index % 2 == 0 ? CrowdedLimits() : AnyLimits(random);
    Twins twins(limits, TurnedByAQuarter(limits), [](core::AxisArray q_rad) {
      q_rad[core::kPan] += kQuarterRad;
      return q_rad;
    });
    twins.Drive(random, 8);
    tipped += twins.farthest_off_rad() > kSameRad || twins.verdicts_apart() > 0;
    travelled_rad += twins.travelled_rad();
  }
  EXPECT_LE(tipped, kTippedMax) << "of " << kCells << " cells; seed " << seed;
  EXPECT_GT(travelled_rad / kCells, 1);
}

/// With nothing around but the table, and the grasp point on the axis of the roll: a hand is no mirror image of itself.
Limits MirrorableLimits(core::Random& random) {
  Limits limits = AnyLimits(random);
  limits.boxes.clear();
  limits.posts.clear();
  limits.arm.grasp_offset_m = 0;
  return limits;
}

TEST(Filter, JudgesAMirroredCellAsTheCellThatItWas) {
  const std::uint64_t seed = 67;
  core::Random random(seed);
  for (int index = 0; index < 20; ++index) {
    const Limits limits = MirrorableLimits(random);
    Limits mirrored = limits;
    mirrored.q_rad_min[core::kPan] = -limits.q_rad_max[core::kPan];
    mirrored.q_rad_max[core::kPan] = -limits.q_rad_min[core::kPan];
    mirrored.workspace_m_min.y = -limits.workspace_m_max.y;
    mirrored.workspace_m_max.y = -limits.workspace_m_min.y;
    Twins twins(limits, mirrored, [](core::AxisArray q_rad) {
      q_rad[core::kPan] = -q_rad[core::kPan];
      return q_rad;
    });
    twins.Drive(random, 40);
    EXPECT_LT(twins.farthest_off_rad(), kSameRad) << "seed " << seed << " limits " << index;
    EXPECT_EQ(twins.verdicts_apart(), 0) << "seed " << seed << " limits " << index;
    EXPECT_GT(twins.travelled_rad(), 0.5) << "seed " << seed << " limits " << index;
  }
}

/// In twice the time each derivative of the position halves once more. The sweep takes looks together that are due
/// within a time that does not scale: it has enough looks here, but where the way is as near as may be to the clearance
/// (a micrometre), one arm may pass where the other waits, and they part. Neither torque scales, nor what is noted
/// about a period that has only just begun.
TEST(Filter, MovesAnArmThatHasTwiceTheTimeAlongTheSameWay) {
  const std::uint64_t seed = 71;
  core::Random random(seed);
  constexpr int kCells = 40, kTippedMax = 1;
  int tipped = 0;
  for (int index = 0; index < kCells; ++index) {
    Limits limits = index % 2 == 0 ? CrowdedLimits() : AnyLimits(random);
    while (limits.control_period > std::chrono::milliseconds(5)) limits = AnyLimits(random);
    limits.clearance_looks_max = 1000;
    limits.grip_torque_nm_max = 20;
    Limits slower = limits;
    slower.control_period *= 2;
    slower.policy_period *= 2;
    slower.command_deadline_max *= 2;
    slower.passing_speed_rad_s /= 2;
    slower.escape_speed_rad_s_max /= 2;
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      slower.speed_rad_s_max[i] /= 2;
      slower.acceleration_rad_s2_max[i] /= 4;
      slower.jerk_rad_s3_max[i] /= 8;
    }
    Twins twins(limits, slower, [](core::AxisArray q_rad) { return q_rad; });
    twins.Drive(random, 40);
    tipped += twins.farthest_off_rad() > kSameRad;
    EXPECT_GT(twins.travelled_rad(), 0.5) << "seed " << seed << " limits " << index;
  }
  EXPECT_LE(tipped, kTippedMax) << "of " << kCells << " cells; seed " << seed;
}

/// One limit, tightened by a share; its name.
const char* Tighten(core::Random& random, Limits& limits) {
  const double share = random.Uniform(0.3, 0.9);
  const auto axis = static_cast<std::size_t>(random.Index(core::kArmAxes));
  const auto shorten = [share](std::chrono::nanoseconds d) { return core::Seconds(share * core::ToSeconds(d)); };
  switch (random.Index(10)) {
    case 0: return limits.q_rad_min[axis] *= share, "q_rad_min";
    case 1: return limits.q_rad_max[axis] *= share, "q_rad_max";
    case 2: return limits.speed_rad_s_max[axis] *= share, "speed";
    case 3: return limits.acceleration_rad_s2_max[axis] *= share, "acceleration";
    case 4: return limits.jerk_rad_s3_max[axis] *= share, "jerk";
    case 5: return limits.workspace_m_max = limits.workspace_m_max * std::max(share, 0.6), "workspace_max";
    case 6: return limits.workspace_m_min.y *= share, "workspace_min";
    case 7: return limits.clearance_m /= share, "clearance";
    case 8: return limits.boxes.back().half_m = limits.boxes.back().half_m * (1 / share), "a larger crate";
    case 9: return limits.command_deadline_max = shorten(limits.command_deadline_max), "deadline";
  }
  return "";
}

/// A pose within all limits, from where nothing has to escape; every other one not far from what the arm must keep
/// clear of.
core::AxisArray AnyStart(core::Random& random, const Limits& limits) {
  ClearanceJudge judge(limits);
  const bool near = random.Chance(0.5);
  core::AxisArray q_rad{};
  int tries = 0;
  do {
    NIGHTSHIFT_CHECK(++tries < 100'000);
    for (std::size_t i = 0; i < core::kArmAxes; ++i)
      q_rad[i] = random.Uniform(limits.q_rad_min[i], limits.q_rad_max[i]);
    judge.ExcessM(q_rad);
  } while (OutsideBoxM(limits, q_rad) > -0.01 || judge.least_m() < limits.clearance_m ||
           (near && judge.least_m() > 3 * limits.clearance_m));
  return q_rad;
}

/// Does an arm get from the start to the target with nothing limited on the way?
bool Passes(const Limits& limits, const core::AxisArray& start_q_rad, const core::AxisArray& target_q_rad) {
  IdealArm arm(limits);
  arm.seen.q_rad = start_q_rad;
  arm.Arm();
  const auto proposal = InTime(arm, target_q_rad);
  for (int tick = 0; tick < PeriodTicks(limits); ++tick) {
    const Judgement judged = arm.Tick(tick == 0 ? std::optional(proposal) : std::nullopt);
    if (judged.verdict != core::Verdict::kPass) return false;
  }
  return true;
}

TEST(Filter, LetsNothingMorePassWhenALimitIsTightened) {
  const std::uint64_t seed = 73;
  core::Random random(seed);
  int passed = 0, no_longer = 0;
  for (int index = 0; index < 4000; ++index) {
    const Limits limits = CrowdedLimits();
    Limits tighter = limits;
    const char* what = Tighten(random, tighter);
    const auto start = AnyStart(random, tighter);
    auto target = start;
    for (std::size_t i = 0; i < core::kArmAxes; ++i) target[i] += random.Uniform(-0.15, 0.15);
    const bool passes = Passes(limits, start, target), still_passes = Passes(tighter, start, target);
    ASSERT_FALSE(still_passes && !passes) << "seed " << seed << " index " << index << " tighter: " << what;
    passed += still_passes;
    no_longer += passes && !still_passes;
  }
  EXPECT_GT(passed, 500);
  EXPECT_GT(no_longer, 100) << "tightening must count for something";
}

}  // namespace
}  // namespace nightshift::safety
