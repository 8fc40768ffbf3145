// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "core/random.h"
#include "safety/checks/contact.h"
#include "tests/benchmarks/in_process_cell.h"

namespace nightshift::tests {

/// How often a figure was how large; 0.01 wide bins, the last one open.
class Spread {
 public:
  void Add(double value) {
    largest_ = std::max(largest_, value);
    ++count_;
    ++bins_[std::min(bins_.size() - 1, static_cast<std::size_t>(value / kBin))];
  }
  double Quantile(double share) const {
    auto left = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    for (std::size_t i = 0; i < bins_.size(); ++i) {
      if (bins_[i] > left) return std::min(largest_, kBin * static_cast<double>(i + 1));
      left -= bins_[i];
    }
    return largest_;
  }
  double largest() const { return largest_; }
  std::uint64_t count() const { return count_; }

 private:
  static constexpr double kBin = 0.01;
  std::vector<std::uint64_t> bins_ = std::vector<std::uint64_t>(6000);
  std::uint64_t count_ = 0;
  double largest_ = 0;
};

/// What torque the arm's model leaves unexplained while a robot practises, by where the grasp point is and what is
/// going on: from this the thresholds of contact are chosen. Also through the eyes of a coarser robot: encoders of 4096
/// steps whose speeds are their differences, torque in steps of 1 % of 2.5 Nm.
class ContactLog {
 public:
  ContactLog(Cell& cell, const safety::Limits& limits)
      : cell_(cell),
        limits_(limits),
        dynamics_(limits),
        exact_{.watch = Watch(limits)},
        coarse_{.watch = Watch(limits)} {
    cell.on_tick = [this](const core::JointState& seen, const safety::Judgement&) { Tick(seen); };
  }

  void Print() const {
    for (const Eyes* eyes : {&exact_, &coarse_}) {
      const char* whose = eyes == &exact_ ? "contact" : "coarse ";
      for (const auto& [what, spreads] : eyes->spreads)
        for (std::size_t i = 0; i < spreads.size(); ++i)
          fmt::print("{}  {:28} {:9} n {:9}  p50 {:5.2f}  p99 {:5.2f}  p99.9 {:5.2f}  p99.99 {:5.2f}  max {:5.2f}\n",
                     whose, what, i == core::kJaw ? "force N" : safety::AxisName(static_cast<int>(i)),
                     spreads[i].count(), spreads[i].Quantile(0.5), spreads[i].Quantile(0.99),
                     spreads[i].Quantile(0.999), spreads[i].Quantile(0.9999), spreads[i].largest());
      fmt::print("{}  stops {}\n", whose, eyes->stops);
    }
    fmt::print("contact  power came {} times, latched {} times\n", power_ups_, latches_);
  }

 private:
  using Spreads = std::array<Spread, core::kArmAxes>;
  struct Eyes {
    safety::ContactWatch watch;
    std::map<std::string, Spreads> spreads;
    int stops = 0;         // Would it have stopped the arm?
    bool stopped = false;  // Since then it has not found the arm free.
  };
  static safety::ContactWatch Watch(const safety::Limits& limits) { return safety::ContactWatch(limits); }

  void Tick(const core::JointState& seen) {
    const auto latch = cell_.filter().latch();
    latches_ += latch.worst == core::StopCause::kContact && last_worst_ != latch.worst;
    last_worst_ = latch.worst;
    power_ups_ += seen.powered && powered_s_ == 0;
    powered_s_ = seen.powered ? powered_s_ + core::ToSeconds(limits_.control_period) : 0;
    if (seen.powered) return Look(seen, latch.latched());
    (void)exact_.watch.Look(seen);
    (void)coarse_.watch.Look(Coarse(seen));
  }

  void Look(const core::JointState& seen, bool latched) {
    constexpr double kFreshS = 2;
    const safety::Grasp grasp = dynamics_.GraspAt(seen.q_rad);
    const bool held = std::ranges::any_of(cell_.world().Objects(), [](const auto& object) { return object.held; });
    std::string what = exact_.watch.InZone(grasp.position_m) ? "zone" : grasp.position_m.z < 0.1 ? "above" : "free";
    what += held ? " held" : " empty";
    if (latched) what += " latched";
    if (powered_s_ < kFreshS) what += " fresh";
    See(exact_, seen, grasp, what);
    See(coarse_, Coarse(seen), grasp, what);
  }

  void See(Eyes& eyes, const core::JointState& seen, const safety::Grasp& grasp, const std::string& what) {
    const auto found = eyes.watch.Look(seen);
    eyes.stops += found && !eyes.stopped;
    eyes.stopped = found.has_value();
    Spreads& spreads = eyes.spreads[what];
    const core::AxisArray unexplained_nm = eyes.watch.UnexplainedNm(grasp);
    for (std::size_t i = 0; i < core::kJaw; ++i) spreads[i].Add(std::abs(unexplained_nm[i]));
    spreads[core::kJaw].Add(safety::ContactWatch::ForceN(unexplained_nm, grasp).n);
  }

  core::JointState Coarse(core::JointState seen) {
    constexpr double kStepRad = 2 * std::numbers::pi / 4096, kTorqueStepNm = 0.025;
    for (std::size_t i = 0; i < core::kArmAxes; ++i) {
      seen.q_rad[i] = kStepRad * std::round(seen.q_rad[i] / kStepRad);
      seen.torque_nm[i] = kTorqueStepNm * std::round(seen.torque_nm[i] / kTorqueStepNm);
      seen.dq_rad_s[i] = (seen.q_rad[i] - coarse_q_rad_[i]) / core::ToSeconds(limits_.control_period);
    }
    coarse_q_rad_ = seen.q_rad;
    return seen;
  }

  Cell& cell_;
  safety::Limits limits_;
  safety::ArmDynamics dynamics_;
  Eyes exact_, coarse_;
  core::AxisArray coarse_q_rad_{};
  core::StopCause last_worst_ = core::StopCause::kNone;
  double powered_s_ = 0;
  int power_ups_ = 0, latches_ = 0;
};

/// Trouble in a cell, at random moments and of random kinds: jams, drops, things that move, power cuts.
class Troubles {
 public:
  Troubles(Cell& cell, double every_s, std::uint64_t seed) : cell_(cell), every_s_(every_s), random_(seed) {}

  /// Between two attempts.
  void Make() {
    const double now_s = core::ToSeconds(cell_.world().time().time_since_epoch());
    if (now_s < next_s_) return;
    next_s_ = now_s + random_.Uniform(0.5, 1.5) * every_s_;
    auto& world = cell_.world();
    switch (random_.Index(4)) {
      case 0: (void)world.Inject({io::cell::CellFault::kDrop, 0, 1}); break;
      case 1: (void)world.Inject({io::cell::CellFault::kMove, random_.Index(2), 1}); break;
      default: (void)world.RestoreState(world.SaveState()); break;  // kill -9 of the cell.
    }
  }

 private:
  Cell& cell_;
  double every_s_, next_s_ = 0;
  core::Random random_;
};

}  // namespace nightshift::tests
