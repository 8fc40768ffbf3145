// SPDX-License-Identifier: Apache-2.0
#include "safety/checks/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numbers>
#include <optional>
#include <vector>

#include "core/random.h"
#include "tests/safety/clearance_worlds.h"
#include "tests/safety/counting_allocator.h"
#include "tests/safety/simple_stops.h"

namespace nightshift::safety {
namespace {

using core::Random;

constexpr double kDenseStepS = 5e-4;

/// What a pair did along a tick and stop, looked at every half millisecond.
struct Seen {
  double start_m = 0, tick_end_m = 0, end_m = 0, least_m = std::numeric_limits<double>::infinity();
};

/// Of every pair that comes near or was so at the start.
std::vector<Seen> LookDensely(const ClearanceModel& model, const ArmStop& stop, const SweepLimits& limits) {
  std::vector<Seen> seen(static_cast<std::size_t>(model.pairs()));
  ArmPose pose(model.arm());
  const auto look = [&](double t_s, double Seen::*as) {
    pose.MoveTo(stop.At(t_s).q_rad);
    for (int pair = 0; pair < model.pairs(); ++pair) {
      Seen& of = seen[static_cast<std::size_t>(pair)];
      double distance_m = model.DistanceBoundM(pair, pose);  // Far ones need no more.
      if (distance_m < 2 * limits.margin_m || of.start_m < limits.margin_m) distance_m = model.DistanceM(pair, pose);
      of.least_m = std::min(of.least_m, distance_m);
      if (as) of.*as = distance_m;
    }
  };
  look(0, &Seen::start_m);
  for (double t_s = kDenseStepS; t_s < stop.duration_s(); t_s += kDenseStepS) look(t_s, nullptr);
  look(stop.tick_s(), &Seen::tick_end_m);
  look(stop.duration_s(), &Seen::end_m);
  return seen;
}

/// Does it break what kClear promises?
bool Breaks(const Seen& seen, const SweepLimits& limits) {
  constexpr double kRoundingM = 1e-8;
  const double floor_m = limits.margin_m - limits.slack_m;
  if (seen.start_m >= limits.margin_m) return seen.least_m < floor_m;
  return seen.tick_end_m < seen.start_m - kRoundingM || seen.end_m < seen.start_m - kRoundingM ||
         seen.least_m < std::min(floor_m, seen.start_m - kEscapeLossM) - kRoundingM;
}

struct Tally {
  int states = 0, clear = 0, false_accepts = 0, false_rejects = 0, exhausted = 0, near_starts = 0;

  double false_reject_share() const { return static_cast<double>(false_rejects) / states; }
};

void Count(Tally& tally, const ClearanceModel& model, const ArmStop& stop, const SweepLimits& limits) {
  const SweepVerdict verdict = Sweep(model, stop, limits);
  const std::vector<Seen> seen = LookDensely(model, stop, limits);
  const bool broken = std::any_of(seen.begin(), seen.end(), [&](const Seen& s) { return Breaks(s, limits); });
  const bool spotless = std::all_of(seen.begin(), seen.end(), [&](const Seen& s) {
    return s.start_m >= limits.margin_m ? s.least_m >= limits.margin_m : !Breaks(s, limits);
  });
  ++tally.states;
  tally.clear += verdict.clear();
  tally.near_starts += verdict.near_pairs > 0;
  tally.exhausted += verdict.outcome == SweepOutcome::kExhausted;
  tally.false_accepts += verdict.clear() && broken;
  tally.false_rejects += !verdict.clear() && spotless;
}

void Print(const char* what, const Tally& tally) {
  std::printf("%s: %d states, %d clear, %d began near, %d false accepts, %.2f %% false rejects, %.2f %% exhausted\n",
              what, tally.states, tally.clear, tally.near_starts, tally.false_accepts, 100 * tally.false_reject_share(),
              100.0 * tally.exhausted / tally.states);
}

template <typename World>
Tally TallyOf(int states, std::uint64_t seed) {
  World world;
  const SweepLimits limits;
  Random random(seed);
  Tally tally;
  for (int i = 0; i < states; ++i) Count(tally, world.model, FastFromClear(world, random, limits.margin_m), limits);
  return tally;
}

template <typename World>
void ExpectNoFalseAccepts(const char* arm, int states, std::uint64_t seed) {
  const Tally tally = TallyOf<World>(states, seed);
  Print(arm, tally);
  EXPECT_EQ(tally.near_starts, 0);
  EXPECT_EQ(tally.false_accepts, 0);
  EXPECT_LT(tally.false_reject_share(), 0.01);
  EXPECT_GT(tally.clear, tally.states / 2);
  EXPECT_GT(tally.states - tally.clear, tally.states / 50) << "hardly any motion was dangerous";
}

TEST(Sweep, AcceptsNoFastMotionOfTheDefaultArmThatADenseCheckRefuses) {
  ExpectNoFalseAccepts<CellWorld>("default arm", 5000, 1);
}

TEST(Sweep, AcceptsNoFastMotionOfASevenJointArmThatADenseCheckRefuses) {
  ExpectNoFalseAccepts<SevenJointWorld>("7-joint arm", 4000, 2);
}

/// The same, slowly and from anywhere, overlaps included.
TEST(Sweep, AcceptsNoEscapeThatADenseCheckRefuses) {
  CellWorld cell;
  const SweepLimits limits;
  Random random(3);
  Tally tally;
  for (int i = 0; i < 20000; ++i) {
    std::array<TickwiseStop, core::kAxesMax> joints;
    for (std::size_t j = 0; j < core::kArmAxes; ++j)
      joints[j] = TickwiseStop({.q_rad = random.Uniform(cell.limits.q_rad_min[j], cell.limits.q_rad_max[j]),
                                .v_rad_s = random.Chance(0.5) ? 0 : random.Uniform(-0.2, 0.2),
                                .acceleration_rad_s2_max = 10,
                                .tick_s = 0.004});
    const ArmStopOf stop(0.004, core::kArmAxes, joints);
    cell.pose.MoveTo(stop.At(0).q_rad);
    if (cell.model.LeastDistanceM(cell.pose) < limits.margin_m) Count(tally, cell.model, stop, limits);
  }
  Print("escapes", tally);
  EXPECT_EQ(tally.near_starts, tally.states);
  EXPECT_EQ(tally.false_accepts, 0);
  EXPECT_GT(tally.clear, tally.states / 20);
  EXPECT_GT(tally.states - tally.clear, tally.states / 20);
}

/// One joint in front of one obstacle: the numbers can be worked out by hand. The rod is 0.5 m long and points up.
class Rod {
 public:
  explicit Rod(const Obstacle& obstacle, double start_rad = 0) : start_rad_(start_rad) {
    ArmShape arm;
    arm.joints = 1;
    arm.joint[0] = {{0, 0, 0}, {0, 1, 0}};
    arm.capsules = 1;
    arm.capsule[0] = {1, {{0, 0, 0}, {0, 0, 0.5}, 0.01}};
    model_.emplace(ClearanceModel::Make(arm, {&obstacle, 1}, {}).value());
  }
  explicit Rod(double wall_x_m, double start_rad = 0) : Rod(Obstacle{HalfSpace{{-1, 0, 0}, -wall_x_m}, 0}, start_rad) {}

  SweepVerdict Move(double v_rad_s, const SweepLimits& limits = {}) const {
    std::array<LinearStop, core::kAxesMax> joints;
    joints[0] = LinearStop({.q_rad = start_rad_, .v_rad_s = v_rad_s, .acceleration_rad_s2_max = 10, .tick_s = 0.001});
    return Sweep(*model_, ArmStopOf(0.001, 1, joints), limits);
  }

  const ClearanceModel& model() const { return *model_; }

 private:
  double start_rad_;
  std::optional<ClearanceModel> model_;
};

/// How far the rod's surface gets on from pointing up.
double FarthestXM(double v_rad_s) { return 0.5 * std::sin(v_rad_s * 0.001 + v_rad_s * v_rad_s / 20) + 0.01; }

TEST(Sweep, LooksAtTheWholeStopAndNotOnlyAtTheTick) {
  constexpr double kBeyond = 0.004;
  EXPECT_TRUE(Rod(FarthestXM(2) + kBeyond).Move(2).clear());
  const SweepVerdict refused = Rod(FarthestXM(2) + 0.0015).Move(2);  // 1.5 mm is less than the margin.
  EXPECT_EQ(refused.outcome, SweepOutcome::kTooClose);
  EXPECT_LT(refused.least_m, 0.003);
}

TEST(Sweep, NeverComesNearerThanMarginLessSlack) {
  for (double beyond_m = -0.01; beyond_m < 0.01; beyond_m += 1e-4) {
    const bool clear = Rod(FarthestXM(2) + beyond_m).Move(2).clear();
    if (beyond_m < 0.002) {
      EXPECT_FALSE(clear) << beyond_m;
    }
    if (beyond_m > 0.0031) {
      EXPECT_TRUE(clear) << beyond_m;
    }
  }
}

TEST(Sweep, StepsOverNothingHoweverThin) {
  const double way_rad = 4 * 0.001 + 4.0 * 4.0 / 20;
  for (double share = 0.05; share < 1; share += 0.01) {
    const double x = 0.5 * std::sin(share * way_rad), z = 0.5 * std::cos(share * way_rad);
    const Rod rod(Obstacle{Capsule{{x, -0.1, z}, {x, 0.1, z}, 1e-4}, 0});  // A wire across the way of the rod's end.
    EXPECT_EQ(rod.Move(4).outcome, SweepOutcome::kTooClose) << "at " << share << " of the way";
  }
}

TEST(Sweep, TreatsExhaustionAsRejection) {
  const Rod rod(0.5 + 0.01 + 0.004, std::numbers::pi / 2 - 0.1);  // Its end goes along the wall, 4 mm off.
  const int needed = rod.Move(2).evaluations;
  ASSERT_GT(needed, 2);
  EXPECT_TRUE(rod.Move(2, {.evaluations_max = needed}).clear());
  for (int allowed = 0; allowed < needed; ++allowed) {
    const SweepVerdict verdict = rod.Move(2, {.evaluations_max = allowed});
    EXPECT_EQ(verdict.outcome, SweepOutcome::kExhausted) << allowed;
    EXPECT_FALSE(verdict.clear()) << allowed;
    EXPECT_EQ(verdict.evaluations, allowed);
  }
}

TEST(Sweep, NeedsOneLookAtAnArmThatRests) {
  for (const double wall_x_m : {1.0, 0.0101, 0.005}) {  // Far off, touching, overlapping.
    const SweepVerdict verdict = Rod(wall_x_m).Move(0);
    EXPECT_TRUE(verdict.clear()) << wall_x_m;
    EXPECT_EQ(verdict.evaluations, 1);
  }
}

TEST(Sweep, SaysWhichPairIsNearestAndHowFarItIs) {
  const SweepVerdict verdict = Rod(0.05).Move(0);
  EXPECT_EQ(verdict.least_pair, 0);
  EXPECT_NEAR(verdict.least_m, 0.04, kDistanceErrorM);
}

TEST(Sweep, FromWithinTheMarginAcceptsOnlyTheWayOut) {
  const double leaning_rad = 0.2;
  for (const double outside_m : {0.0025, 0.0015, 0.0, -0.02, -0.2}) {
    const Rod rod(0.5 * std::sin(leaning_rad) + 0.01 + outside_m, leaning_rad);
    const SweepVerdict out = rod.Move(-0.2), in = rod.Move(0.2);
    EXPECT_TRUE(out.clear()) << outside_m;
    EXPECT_EQ(out.near_pairs, 1) << outside_m;
    EXPECT_EQ(in.outcome, SweepOutcome::kTooClose) << outside_m;
    EXPECT_FALSE(rod.Move(0.001).clear()) << outside_m << ": slowly is inwards, too";
  }
}

/// Away from a wall during the tick, then towards it, then away again.
class Wiggle final : public ArmStop {
 public:
  Wiggle(double start_rad, double towards_rad) : start_rad_(start_rad), towards_rad_(towards_rad) {}
  double tick_s() const override { return 0.01; }
  double duration_s() const override { return 0.04; }
  ArmAhead At(double t_s) const override {
    constexpr double kAwayRad = -0.002;
    const double share = std::fmod(t_s, 0.01) / 0.01;
    double q_rad = start_rad_ + kAwayRad;
    if (t_s < 0.01) q_rad = start_rad_ + share * kAwayRad;
    if (t_s >= 0.01 && t_s < 0.02) q_rad += share * (towards_rad_ - kAwayRad);
    if (t_s >= 0.02 && t_s < 0.03) q_rad = start_rad_ + towards_rad_ + share * (kAwayRad - towards_rad_);
    return {.q_rad = {q_rad}, .speed_rad_s_max = {1}, .travel_rad_max = {t_s < 0.03 ? 0.04 - t_s : 0}};
  }

 private:
  double start_rad_, towards_rad_;
};

TEST(Sweep, FromWithinTheMarginDoesNotComeNearerOnTheWayEither) {
  const Rod rod(0.5 * std::sin(0.2) + 0.01 + 0.001, 0.2);  // Starts 1 mm off.
  EXPECT_TRUE(Sweep(rod.model(), Wiggle(0.2, -0.0005), {}).clear());
  EXPECT_EQ(Sweep(rod.model(), Wiggle(0.2, 0.004), {}).outcome, SweepOutcome::kTooClose);  // 1 mm into the wall.
}

/// An adversary that only knows the answers: whatever is accepted is done for one tick, what is refused is braked.
TEST(Sweep, LetsNoSequenceOfAcceptedTicksGoDeeper) {
  constexpr double kTickS = 0.004, kAcceleration = 10;
  CellWorld cell;
  const SweepLimits limits;
  Random random(5);
  int runs = 0, moved = 0;
  for (int run = 0; run < 4000 && runs < 60; ++run) {
    core::AxisArray q{}, v{};
    for (std::size_t j = 0; j < core::kArmAxes; ++j)
      q[j] = random.Uniform(cell.limits.q_rad_min[j], cell.limits.q_rad_max[j]);
    cell.pose.MoveTo(q);
    const double start_m = cell.model.LeastDistanceM(cell.pose);
    if (start_m > limits.margin_m || start_m < -0.02) continue;
    ++runs;
    const double floor_m = std::min(limits.margin_m - limits.slack_m, start_m) - 5 * kEscapeLossM;
    for (int tick = 0; tick < 300; ++tick) {
      core::AxisArray wanted{};
      std::array<TickwiseStop, core::kAxesMax> joints;
      for (std::size_t j = 0; j < core::kArmAxes; ++j) {
        wanted[j] = std::clamp(v[j] + random.Uniform(-1, 1) * kAcceleration * kTickS, -0.2, 0.2);
        joints[j] = TickwiseStop({q[j], wanted[j], kAcceleration, kTickS});
      }
      const bool clear = Sweep(cell.model, ArmStopOf(kTickS, core::kArmAxes, joints), limits).clear();
      moved += clear;
      for (std::size_t j = 0; j < core::kArmAxes; ++j) {
        v[j] = clear ? wanted[j] : BrakedSpeed(v[j], kAcceleration, kTickS);
        q[j] += v[j] * kTickS;
      }
      cell.pose.MoveTo(q);
      ASSERT_GE(cell.model.LeastDistanceM(cell.pose), floor_m) << "run " << run << " tick " << tick;
    }
  }
  EXPECT_EQ(runs, 60);
  EXPECT_GT(moved, 1000);
}

TEST(Sweep, SeesTheHandMeetTheArmItself) {
  const CellWorld cell;
  const auto model = ClearanceModel::Make(cell.model.arm(), {}, kDefaultArmLinkPairs);
  ASSERT_TRUE(model);
  std::array<TickwiseStop, core::kAxesMax> joints;
  const core::AxisArray q_rad{0, -0.9, 2.3, 1.4, 0, 0.2}, v_rad_s{0, 0, 4, 4, 0, 0};
  for (std::size_t j = 0; j < core::kArmAxes; ++j) joints[j] = TickwiseStop({q_rad[j], v_rad_s[j], 20, 0.004});
  const SweepVerdict verdict = Sweep(*model, ArmStopOf(0.004, core::kArmAxes, joints), {});
  EXPECT_EQ(verdict.near_pairs, 0);
  ASSERT_EQ(verdict.outcome, SweepOutcome::kTooClose);
  EXPECT_EQ(model->pair(verdict.least_pair).kind, PairKind::kSelf);
}

TEST(Sweep, OfASelfPairIgnoresJointsThatMoveBothLinks) {
  const CellWorld cell;
  const auto model = ClearanceModel::Make(cell.model.arm(), {}, std::array{LinkPair{2, 5}, LinkPair{2, 6}});
  ASSERT_TRUE(model);
  std::array<TickwiseStop, core::kAxesMax> joints;
  const core::AxisArray q_rad{0, -0.9, 2.3, 1.4, 0, 0.2}, v_rad_s{4, 4, 0, 0, 0, 0};
  for (std::size_t j = 0; j < core::kArmAxes; ++j) joints[j] = TickwiseStop({q_rad[j], v_rad_s[j], 20, 0.004});
  const SweepVerdict verdict = Sweep(*model, ArmStopOf(0.004, core::kArmAxes, joints), {});
  EXPECT_TRUE(verdict.clear());
  EXPECT_EQ(verdict.evaluations, 1);
}

/// A stop that says whatever it is told to say.
class FalseStop final : public ArmStop {
 public:
  double tick_s() const override { return tick; }
  double duration_s() const override { return duration; }
  ArmAhead At(double) const override { return ahead; }

  double tick = 0.004, duration = 0.1;
  ArmAhead ahead;
};

TEST(Sweep, RefusesWhatIsNotFinite) {
  const CellWorld cell;
  const double nan = std::nan(""), infinite = std::numeric_limits<double>::infinity();
  FalseStop sound;
  sound.ahead.q_rad = {0, -0.209, 1.919, 1.4316, 0.0, 0.8};
  ASSERT_TRUE(Sweep(cell.model, sound, {}).clear());
  for (const double bad : {nan, infinite, -infinite})
    for (std::size_t joint = 0; joint < core::kArmAxes; ++joint) {
      for (auto field : {&ArmAhead::q_rad, &ArmAhead::speed_rad_s_max, &ArmAhead::travel_rad_max}) {
        FalseStop stop = sound;
        (stop.ahead.*field)[joint] = bad;
        EXPECT_EQ(Sweep(cell.model, stop, {}).outcome, SweepOutcome::kNotFinite) << "joint " << joint << " " << bad;
      }
    }
  for (const double bad : {nan, infinite}) {
    FalseStop stop = sound;
    stop.duration = bad;
    EXPECT_EQ(Sweep(cell.model, stop, {}).outcome, SweepOutcome::kNotFinite);
    stop = sound;
    stop.tick = bad;
    EXPECT_EQ(Sweep(cell.model, stop, {}).outcome, SweepOutcome::kNotFinite);
  }
}

TEST(Sweep, RefusesWhatIsFasterThanNumbersGo) {
  const CellWorld cell;
  FalseStop stop;
  stop.ahead.q_rad = {0, -0.209, 1.919, 1.4316, 0.0, 0.8};
  stop.ahead.speed_rad_s_max.fill(1e308);
  stop.ahead.travel_rad_max.fill(1e308);
  EXPECT_FALSE(Sweep(cell.model, stop, {}).clear());
}

TEST(Sweep, AllocatesNothing) {
  CellWorld cell;
  Random random(6);
  const auto stop = FastFromClear(cell, random, 0.003);
  const std::size_t before = AllocationsSoFar();
  for (int i = 0; i < 10; ++i) Sweep(cell.model, stop, {});
  EXPECT_EQ(AllocationsSoFar(), before);
}

}  // namespace
}  // namespace nightshift::safety
