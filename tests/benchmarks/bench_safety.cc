// SPDX-License-Identifier: Apache-2.0
// What safety costs, what it holds, what it takes from a task, and what it makes of other libraries' own tests. One
// JSON object a line.
//
//   bench_safety [JOINT_STEPS]
//
// JOINT_STEPS, 1e7 unless it is given, is how much is driven by hostile commands in all: a fifth of it by whole arms,
// of which a step costs about ten times as much; besides, a tenth of it in T1, and as many states in T3. The long run
// of the safety document is 1e9. A violation is a tick, or a point inside one, that exceeds a limit by more than 1e-9
// of its unit; its seed is printed. Times are thread CPU time.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "safety/checks/contact.h"
#include "tests/benchmarks/stopwatch.h"
#include "tests/safety/clearance_worlds.h"
#include "tests/safety/counting_allocator.h"
#include "tests/safety/hostile_arm.h"
#include "tests/safety/other_suites.h"

namespace nightshift::safety {
namespace {

using nlohmann::ordered_json;
using tests::Stopwatch;
using tests::ThreadTimeUs;

constexpr int kPeriodTicks = 25;
constexpr double kStepMMax = 0.025;     // Of a policy in one period, per coordinate (configs/tabletop.toml).
constexpr double kJointLeadRad = 0.35;  // Of a target before its joint (runtime/body.cc).
constexpr double kReachedRad = 0.02;    // A target missed by more was limited, as the filter counts it.
constexpr double kArrivedM = 0.008;     // At a place over the tray; then to another.
constexpr double kJawOpenRad = 1, kJawClosedRad = 0;

/// A line of the report; the body's keys follow.
void Print(ordered_json line, const ordered_json& body) {
  line.update(body);
  fmt::print("{}\n", line.dump());
  std::fflush(stdout);
}

/// How the largest step of a policy in one period counts.
enum class Steps { kWhole, kPerCoordinate };

/// Sends the tip to and fro over the tray as practice does: from where it was told to be, no farther than one step.
class TrayTour {
 public:
  struct Setting {
    Steps steps = Steps::kPerCoordinate;
    std::uint64_t seed = 1;
  };

  TrayTour(const Limits& limits, const Setting& setting)
      : arm_(limits.arm), steps_(setting.steps), random_(setting.seed) {}

  /// Joint targets for the next period, from what was commanded last.
  core::AxisArray NextTarget(const core::AxisArray& q_rad) {
    const core::Vec3 tip_m = core::ForwardKinematics(arm_, q_rad).position_m;
    if (core::Norm(place_m_ - tip_m) < kArrivedM) ChoosePlace();
    const auto reached = core::InverseKinematics(arm_, tip_m + Step(place_m_ - tip_m), 0);
    if (!reached) ChoosePlace();
    core::AxisArray target_q_rad = reached ? *reached : q_rad;
    for (std::size_t i = 0; i < core::kJaw; ++i)
      target_q_rad[i] = std::clamp(target_q_rad[i], q_rad[i] - kJointLeadRad, q_rad[i] + kJointLeadRad);
    target_q_rad[core::kJaw] = jaw_rad_;
    return target_q_rad;
  }

 private:
  void ChoosePlace() {
    place_m_ = {random_.Uniform(0.13, 0.27), random_.Uniform(-0.085, 0.085), random_.Uniform(0.015, 0.12)};
    jaw_rad_ = random_.Chance(0.5) ? kJawOpenRad : kJawClosedRad;
  }

  core::Vec3 Step(core::Vec3 way_m) const {
    const auto clamped = [](double m) { return std::clamp(m, -kStepMMax, kStepMMax); };
    if (steps_ == Steps::kPerCoordinate) return {clamped(way_m.x), clamped(way_m.y), clamped(way_m.z)};
    return way_m * std::min(1.0, kStepMMax / std::max(core::Norm(way_m), kStepMMax));
  }

  core::ArmGeometry arm_;
  Steps steps_;
  core::Random random_;
  core::Vec3 place_m_{0.2, 0, 0.1};  // Where the ideal arm begins.
  double jaw_rad_ = kJawOpenRad;
};

// What a judgement costs.

enum class Commands { kTask, kHostile };

/// Anywhere within the joint ranges.
core::AxisArray AnyTarget(core::Random& random, const Limits& limits) {
  core::AxisArray target{};
  for (std::size_t i = 0; i < static_cast<std::size_t>(limits.axes); ++i)
    target[i] = random.Uniform(limits.q_rad_min[i], limits.q_rad_max[i]);
  return target;
}

void TimeJudgements(const std::string& surroundings, const Limits& limits, Commands commands) {
  constexpr int kJudgements = 200'000;
  Stopwatch watch(kJudgements);
  IdealArm arm(limits);
  arm.Arm();
  TrayTour tour(limits, {.seed = 3});
  core::Random random(5);
  std::size_t allocations = 0;
  std::optional<core::ProposedAction> wanted;
  for (int i = 0; i < kJudgements; ++i) {
    wanted.reset();
    if (i % kPeriodTicks == 0)
      wanted = arm.Propose(commands == Commands::kTask ? tour.NextTarget(arm.filter.commanded_q_rad())
                                                       : AnyTarget(random, limits));
    const std::size_t before = AllocationsSoFar();
    watch.Time([&] { arm.Tick(wanted); });
    allocations += AllocationsSoFar() - before;
  }
  Print({{"bench", "judgement"},
         {"surroundings", surroundings},
         {"commands", commands == Commands::kTask ? "task" : "hostile"},
         {"allocations", allocations}},
        watch.Summary());
}

/// One joint of the default arm, sent to a new place in each period.
void TimeJoint() {
  constexpr int kTicks = 500'000;
  const Limits limits;
  const JerkBounds bounds{.q_rad_min = limits.q_rad_min[core::kPan],
                          .q_rad_max = limits.q_rad_max[core::kPan],
                          .speed_rad_s_max = limits.speed_rad_s_max[core::kPan],
                          .acceleration_rad_s2_max = limits.acceleration_rad_s2_max[core::kPan],
                          .jerk_rad_s3_max = limits.jerk_rad_s3_max[core::kPan],
                          .escape_speed_rad_s_max = limits.escape_speed_rad_s_max,
                          .tick_s = core::ToSeconds(limits.control_period)};
  core::Random random(7);
  Stopwatch watch(kTicks);
  JerkMotion now;
  JointStop stop(now, bounds);
  JerkGoal goal;
  for (int tick = 0; tick < kTicks; ++tick) {
    if (tick % kPeriodTicks == 0) goal.q_rad = random.Uniform(1.2 * bounds.q_rad_min, 1.2 * bounds.q_rad_max);
    goal.left_s = (kPeriodTicks - tick % kPeriodTicks) * bounds.tick_s;
    watch.Time([&] {
      const JerkVerdict verdict = LimitJerk(now, stop, VelocityTowards(goal, now, bounds), bounds);
      now = verdict.next;
      stop = verdict.stop;
    });
  }
  Print({{"bench", "joint"}, {"what", "VelocityTowards and LimitJerk"}}, watch.Summary());
}

/// The watch on contact: inverse dynamics, Jacobian and zones, for an arm that moves at random.
void TimeContact() {
  constexpr int kTicks = 500'000;
  Limits limits;
  limits.contact_zones = {{"table", {0, -0.21, 0}, {0.37, 0.34, 0.08}}};
  ContactWatch watch_contact(limits);
  core::Random random(9);
  Stopwatch watch(kTicks);
  core::JointState seen;
  seen.powered = true;
  std::size_t allocations = 0;
  for (int tick = 0; tick < kTicks; ++tick) {
    seen.time += limits.control_period;
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      seen.dq_rad_s[i] = std::clamp(seen.dq_rad_s[i] + random.Uniform(-0.1, 0.1), -1.0, 1.0);
      seen.q_rad[i] += seen.dq_rad_s[i] * core::ToSeconds(limits.control_period);
      seen.torque_nm[i] = random.Uniform(-1, 1);
    }
    const std::size_t before = AllocationsSoFar();
    watch.Time([&] { (void)watch_contact.Look(seen); });
    allocations += AllocationsSoFar() - before;
  }
  Print({{"bench", "contact"}, {"allocations", allocations}}, watch.Summary());
}

/// Each state is swept twice, and its lesser time counts as well: an interrupt is no property of the check.
template <typename World>
void TimeSweep(const std::string& arm) {
  constexpr int kStates = 100'000;
  World world;
  const SweepLimits limits;
  core::Random random(2024);
  Stopwatch every(2 * kStates), least(kStates);
  std::size_t allocations = 0;
  int clear = 0, exhausted = 0;
  for (int i = 0; i < kStates; ++i) {
    const auto stop = FastFromClear(world, random, limits.margin_m);
    SweepVerdict verdict;
    const std::size_t before = AllocationsSoFar();
    const auto run = [&] { verdict = Sweep(world.model, stop, limits); };
    const double first_us = every.Time(run), second_us = every.Time(run);
    allocations += AllocationsSoFar() - before;
    least.Add(std::min(first_us, second_us));
    clear += verdict.clear();
    exhausted += verdict.outcome == SweepOutcome::kExhausted;
  }
  const ordered_json head{{"bench", "sweep"},
                          {"arm", arm},
                          {"pairs", world.model.pairs()},
                          {"clear_share", clear / static_cast<double>(kStates)},
                          {"exhausted_share", exhausted / static_cast<double>(kStates)},
                          {"allocations", allocations}};
  const auto with = [&](const char* runs) {
    ordered_json line = head;
    line["runs"] = runs;
    return line;
  };
  Print(with("every"), every.Summary());
  Print(with("least of 2"), least.Summary());
}

// What is held.

/// Tallies of many runs, each from its own seed, until there were enough joint-steps.
template <typename Run>
void PrintHeld(ordered_json line, double joint_steps, const Run& run) {
  Tally all;
  std::optional<std::uint64_t> broken_by;
  const double begin_us = ThreadTimeUs();
  for (std::uint64_t seed = 1; static_cast<double>(all.joint_steps()) < joint_steps; ++seed) {
    const Tally tally = run(seed);
    if (tally.violations() > 0 && !broken_by) broken_by = seed;
    all.Add(tally);
  }
  const double took_us = ThreadTimeUs() - begin_us;
  line["joint_steps"] = all.joint_steps();
  line["violations"] = all.violations();
  line["first_seed_broken"] = broken_by ? ordered_json(*broken_by) : ordered_json(nullptr);
  for (const Promise promise : kPromises)
    if (std::isfinite(all.worst(promise))) line["worst_excess"][std::string(Name(promise))] = all.worst(promise);
  line["range_share_mean"] = all.range_share_mean();
  line["speed_share_mean"] = all.speed_share_mean();
  line["speed_share_max"] = all.speed_share_max();
  line["ns_per_joint_step_with_checks"] = took_us * 1e3 / static_cast<double>(all.joint_steps());
  Print(line, ordered_json::object());
}

ordered_json Held(const char* what, std::string_view kind) {
  return {{"bench", "held"}, {"what", what}, {"commands", std::string(kind)}};
}

void DriveHostileJoints(double joint_steps) {
  constexpr int kTicks = 1000;
  const double steps_each = joint_steps / (kWishKinds.size() + 1);
  for (const WishKind kind : kWishKinds)
    PrintHeld(Held("joint", Name(kind)), steps_each, [&](std::uint64_t seed) {
      core::Random random(seed);
      return DriveHostile(random, kind, kTicks).Ended();
    });
  PrintHeld(Held("joint", "adversarial"), steps_each, [](std::uint64_t seed) {
    core::Random random(seed);
    return JointSearch(random).tally;
  });
}

void DriveHostileArms(double joint_steps) {
  constexpr int kPeriods = 100;
  const Limits limits = CrowdedLimits();
  const double steps_each = joint_steps / (kProposalKinds.size() + 1);
  for (const ProposalKind kind : kProposalKinds)
    PrintHeld(Held("arm", Name(kind)), steps_each, [&](std::uint64_t seed) {
      Adversary adversary(seed, limits);
      for (int period = 0; period < kPeriods; ++period) adversary.Period(kind);
      return adversary.Ended();
    });
  PrintHeld(Held("arm", "adversarial"), steps_each, [&](std::uint64_t seed) {
    core::Random random(seed);
    return ArmSearch(random, limits).tally;
  });
}

// What it makes of other libraries' own tests (SAFETY.md, section 3).

ordered_json Shares(const Ratios& ratios) {
  return {{"position", ratios.position},
          {"speed", ratios.speed},
          {"acceleration", ratios.acceleration},
          {"jerk", ratios.jerk}};
}

void DriveAsLibfrankaDoes(double joint_steps) {
  constexpr int kTicks = 20'000;
  const auto joints = FrankaJoints();
  Tally all;
  Ratios ratios;
  for (int run = 0; static_cast<double>(all.joint_steps()) < joint_steps; ++run)
    for (const int each_way : kBangBangTicks) {
      const auto suite = DriveBangBang(joints[static_cast<std::size_t>(run) % joints.size()], each_way, kTicks);
      all.Add(suite.drive.Ended());
      ratios.Add(suite.ratios);
    }
  Print({{"bench", "T1"}, {"source", "libfranka rate_limiting: bang-bang at 1 kHz"}},
        {{"joint_steps", all.joint_steps()},
         {"violations", all.violations()},
         {"violations_per_1e8", 1e8 * static_cast<double>(all.violations()) / static_cast<double>(all.joint_steps())},
         {"worst_overshoot_rad", all.worst(Promise::kPosition)},
         {"share_of_limit_max", Shares(ratios)}});
}

void DriveAsKlimitsDoes() {
  constexpr double kRandomS = 300, kConstantS = 60;
  core::Random random(1);
  Ratios ratios, pushed;
  int sets = 0, constant_sets = 0;
  double end_share_min = 1;
  ForEachKlimitsSet(kKlimitsRandomJerks, [&](const KlimitsSet& set) {
    ++sets;
    for (std::size_t joint = 0; joint < kKlimitsJoints; ++joint)
      ratios.Add(DriveRandomActions(KlimitsJoint(set, joint), kRandomS, random).ratios);
  });
  Print({{"bench", "T2"}, {"source", "klimits: random actions"}},
        {{"sets", sets}, {"joints", kKlimitsJoints}, {"seconds", kRandomS}, {"share_of_limit_max", Shares(ratios)}});
  ForEachKlimitsSet(kKlimitsConstantJerks, [&](const KlimitsSet& set) {
    ++constant_sets;
    for (std::size_t joint = 0; joint < kKlimitsJoints; ++joint)
      for (const double way : {-1.0, 1.0}) {
        const auto suite = DriveConstantAction(KlimitsJoint(set, joint), kConstantS, way);
        pushed.Add(suite.ratios);
        end_share_min = std::min(end_share_min, way * suite.drive.now.q_rad / suite.drive.bounds.q_rad_max);
      }
  });
  Print({{"bench", "T2"}, {"source", "klimits: constant action, either way"}}, {{"sets", constant_sets},
                                                                                {"joints", kKlimitsJoints},
                                                                                {"seconds", kConstantS},
                                                                                {"share_of_limit_max", Shares(pushed)},
                                                                                {"end_share_min", end_share_min}});
}

void StopAsRuckigDoes(double states) {
  constexpr int kStatesEach = 100'000;
  VolumeErrors errors;
  std::int64_t done = 0;
  for (std::uint64_t seed = 1; static_cast<double>(done) < states; ++seed) {
    core::Random random(seed);
    for (int i = 0; i < kStatesEach; ++i) errors.Add(StopFromAnywhere(random));
    done += kStatesEach;
  }
  Print({{"bench", "T3"}, {"source", "Ruckig: random volume"}}, {{"states", done},
                                                                 {"rest_error_rad_max", errors.rest_rad},
                                                                 {"way_error_rad_max", errors.way_rad},
                                                                 {"way_error_rad_s_max", errors.way_rad_s},
                                                                 {"beyond_extremum_rad_max", errors.extremum_rad}});
}

// What it takes from a task.

/// Of the axes that carry the tip.
double FarthestOffRad(const core::AxisArray& target_q_rad, const core::AxisArray& q_rad) {
  double off_rad = 0;
  for (std::size_t i = 0; i < core::kJaw; ++i) off_rad = std::max(off_rad, std::abs(target_q_rad[i] - q_rad[i]));
  return off_rad;
}

void MeasureTask(const std::string& surroundings, const Limits& limits, Steps steps) {
  constexpr int kPeriods = 20'000;
  IdealArm arm(limits);
  arm.Arm();
  TrayTour tour(limits, {.steps = steps, .seed = 11});
  double wanted_m = 0, carried_out_m = 0;
  int missed = 0;
  for (int period = 0; period < kPeriods; ++period) {
    const core::Vec3 from_m = arm.tip();
    const core::AxisArray target_q_rad = tour.NextTarget(arm.filter.commanded_q_rad());
    arm.Period(arm.Propose(target_q_rad));
    wanted_m += core::Norm(core::ForwardKinematics(limits.arm, target_q_rad).position_m - from_m);
    carried_out_m += core::Norm(arm.tip() - from_m);
    missed += FarthestOffRad(target_q_rad, arm.filter.commanded_q_rad()) > kReachedRad;
  }
  Print({{"bench", "task"},
         {"surroundings", surroundings},
         {"steps_25_mm", steps == Steps::kWhole ? "whole" : "per coordinate"}},
        {{"periods", kPeriods},
         {"wanted_m", wanted_m},
         {"carried_out_share", carried_out_m / wanted_m},
         {"missed_share", missed / static_cast<double>(kPeriods)},
         {"latched", arm.filter.latch().latched()}});
}

/// A person who stands at a distance, told 10 times a second, with nothing known of where.
void MeasureTaskBesideAPerson(double distance_m) {
  constexpr int kPeriods = 3000, kApproachPeriods = 30;
  Limits limits = TabletopLimits();
  limits.presence.source = PresenceSource::kTopic;
  IdealArm arm(limits);
  std::uint64_t reports = 0;
  int ticks = 0;
  double person_m = 10;
  arm.before_tick = [&](Filter& filter) {
    if (ticks++ % kPeriodTicks == 0) filter.HearPresence({person_m, ++reports});
  };
  for (int period = 0; period < kApproachPeriods; ++period) arm.Period();
  arm.Arm();
  person_m = distance_m;
  for (int period = 0; period < kApproachPeriods; ++period) arm.Period();
  TrayTour tour(limits, {.steps = Steps::kPerCoordinate, .seed = 11});
  double wanted_m = 0, carried_out_m = 0, scale_sum = 0;
  for (int period = 0; period < kPeriods; ++period) {
    const core::Vec3 from_m = arm.tip();
    const core::AxisArray target_q_rad = tour.NextTarget(arm.filter.commanded_q_rad());
    arm.Period(arm.Propose(target_q_rad));
    wanted_m += core::Norm(core::ForwardKinematics(limits.arm, target_q_rad).position_m - from_m);
    carried_out_m += core::Norm(arm.tip() - from_m);
    scale_sum += arm.filter.person().speed_scale;
  }
  Print({{"bench", "task beside a person"}, {"distance_m", distance_m}},
        {{"periods", kPeriods},
         {"carried_out_share", carried_out_m / wanted_m},
         {"speed_scale_mean", scale_sum / kPeriods},
         {"latched", arm.filter.latch().latched()}});
}

/// What looking at a person adds to a tick, with a report in each.
void TimePersonWatch() {
  constexpr int kTicks = 500'000;
  Limits limits;
  limits.presence.source = PresenceSource::kTopic;
  PersonWatch watch(limits);
  core::Random random(7);
  Stopwatch stopwatch(kTicks);
  core::Instant now{};
  ArmMotion arm;
  std::size_t allocations = 0;
  for (std::uint64_t tick = 1; tick <= kTicks; ++tick) {
    const PresenceReport report{random.Uniform(1, 3), tick};
    for (double& v : arm.v_rad_s) v = random.Uniform(-1, 1);
    const std::size_t before = AllocationsSoFar();
    stopwatch.Time([&] {
      watch.Hear(report);
      watch.Look(arm, now);
    });
    allocations += AllocationsSoFar() - before;
    now += limits.control_period;
  }
  Print({{"bench", "person watch"}, {"what", "Hear and Look"}, {"allocations", allocations}}, stopwatch.Summary());
}

void Run(double joint_steps) {
  constexpr double kArmShare = 0.2;
  for (const Commands commands : {Commands::kTask, Commands::kHostile}) {
    TimeJudgements("none", {}, commands);
    TimeJudgements("tabletop", TabletopLimits(), commands);
  }
  TimeJoint();
  TimePersonWatch();
  TimeContact();
  TimeSweep<CellWorld>("default");
  TimeSweep<SevenJointWorld>("7 joints, 10 obstacles");
  for (const Steps steps : {Steps::kWhole, Steps::kPerCoordinate}) {
    MeasureTask("none", {}, steps);
    MeasureTask("tabletop", TabletopLimits(), steps);
  }
  for (const double distance_m : {10.0, 2.5, 2.2, 2.0, 1.9, 1.8, 1.7, 1.65, 1.6}) MeasureTaskBesideAPerson(distance_m);
  DriveAsLibfrankaDoes(joint_steps / 10);
  DriveAsKlimitsDoes();
  StopAsRuckigDoes(joint_steps);
  DriveHostileJoints(joint_steps * (1 - kArmShare));
  DriveHostileArms(joint_steps * kArmShare);
}

}  // namespace
}  // namespace nightshift::safety

int main(int argc, char** argv) {
  const double joint_steps = argc > 1 ? std::atof(argv[1]) : 1e7;
  if (!(joint_steps > 0 && joint_steps <= 1e12)) {
    fmt::print(stderr, "bench_safety [JOINT_STEPS]: above 0, at most 1e12\n");
    return 2;
  }
  nightshift::safety::Run(joint_steps);
}
