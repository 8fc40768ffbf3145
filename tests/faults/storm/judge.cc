// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/storm/judge.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace nightshift::storm {
namespace {

constexpr std::size_t kComplaintsMax = 20;  // The first ones tell the story.
constexpr std::size_t kKept = 250;          // Ticks before an event that may matter to it: a second.
constexpr double kRoundingRad = 1e-9;

std::size_t At(int axis) { return static_cast<std::size_t>(axis); }

double FastestOf(const Moment& moment) {
  double fastest = 0;
  for (int i = 0; i < core::kJaw; ++i) fastest = std::max(fastest, std::abs(moment.dq_rad_s[At(i)]));
  return fastest;
}

}  // namespace

void Judge::See(const Moment& moment) {
  if (!bounds_.rolls) CheckRoll(moment);
  if (moment.told_q_rad && moment.told_power == core::PowerMode::kHold) CheckCommand(moment);
  if (moment.told_q_rad) last_heard_ = moment;
  moments_.push_back(moment);
}

void Judge::Forget() {
  if (moments_.size() > kKept) moments_.erase(moments_.begin(), moments_.end() - kKept);
}

void Judge::Complain(const Moment& moment, const std::string& what) {
  if (complaints_.size() < kComplaintsMax) complaints_.push_back(fmt::format("tick {}: {}", moment.tick, what));
}

void Judge::CheckRoll(const Moment& moment) {
  if (moment.told_q_rad && std::abs((*moment.told_q_rad)[core::kRoll]) > kRollRadMax)
    Complain(moment, fmt::format("the roll axis was told {:.4f} rad: a command that is dead was carried out",
                                 (*moment.told_q_rad)[core::kRoll]));
  if (std::abs(moment.q_rad[core::kRoll]) > kRollRadMax)
    Complain(moment, fmt::format("the roll axis is at {:.4f} rad: only a dead command sends it there",
                                 moment.q_rad[core::kRoll]));
}

/// From one command to the next no further than the speed allows in the time between, or to where the arm is. Through a
/// longer silence the command lives no longer than until the overrun: what it was told then was lost on the way.
void Judge::CheckCommand(const Moment& moment) {
  if (!last_heard_ || moments_.empty()) return;
  const auto silent = static_cast<std::int64_t>(moment.tick - last_heard_->tick - 1);
  for (int i = 0; i < core::kJaw; ++i) {
    const double told = (*moment.told_q_rad)[At(i)], before = (*last_heard_->told_q_rad)[At(i)];
    const auto ticks = std::min<std::int64_t>(silent, bounds_.overrun / bounds_.tick) + 1;
    const double step = bounds_.speed_rad_s_max[At(i)] * core::ToSeconds(ticks * bounds_.tick) + kRoundingRad;
    const double off = std::abs(told - moments_.back().q_rad[At(i)]);
    if (std::abs(told - before) > step && off > bounds_.seed_rad)
      Complain(moment, fmt::format("axis {} was told {:.4f} rad after {:.4f}, {:.4f} rad from where it was, {} silent "
                                   "ticks between: the command jumped",
                                   i, told, before, off, silent));
  }
}

std::optional<core::Instant> Judge::LastHeard() const {
  return last_heard_ ? std::optional(last_heard_->time) : std::nullopt;
}

std::optional<core::Instant> Judge::HeardAfter(core::Instant from) const {
  const auto heard = std::find_if(moments_.begin(), moments_.end(),
                                  [from](const Moment& m) { return m.time > from && m.told_q_rad.has_value(); });
  return heard == moments_.end() ? std::nullopt : std::optional(heard->time);
}

template <typename Look>
void Judge::Each(core::Instant from, core::Instant to, Look look) const {
  for (const Moment& moment : moments_)
    if (moment.time > from && moment.time <= to) look(moment);
}

core::Instant Judge::LastFollowing(core::Instant from, core::Instant to) const {
  core::Instant last = from;
  Each(from, to, [&last](const Moment& m) {
    if (m.following) last = m.time;
  });
  return last;
}

double Judge::FastestRadS(core::Instant from, core::Instant to) const {
  double fastest = 0;
  Each(from, to, [&fastest](const Moment& m) { fastest = std::max(fastest, FastestOf(m)); });
  return fastest;
}

core::Instant Judge::LastMoving(core::Instant from, core::Instant to) const {
  core::Instant last = from;
  Each(from, to, [&](const Moment& m) {
    if (FastestOf(m) >= bounds_.rest_rad_s) last = m.time;
  });
  return last;
}

bool Judge::LetGo(core::Instant from, core::Instant to) const {
  bool before = false, within = false;
  for (const Moment& moment : moments_) {
    if (!moment.told_q_rad || moment.time > to) continue;
    const bool off = moment.told_power == core::PowerMode::kOff;
    moment.time <= from ? before = off : within = within || off;
  }
  return before || within;
}

std::string Judge::Table() const {
  std::string table = "tick robot_s axis q_rad dq_rad_s told_rad following off\n";
  for (const Moment& m : moments_)
    for (int i = 0; i <= core::kJaw; ++i)
      table += fmt::format("{} {:.3f} {} {:.4f} {:.4f} {} {:d} {:d}\n", m.tick,
                           core::ToSeconds(m.time.time_since_epoch()), i, m.q_rad[At(i)], m.dq_rad_s[At(i)],
                           m.told_q_rad ? fmt::format("{:.4f}", (*m.told_q_rad)[At(i)]) : "-", m.following,
                           m.told_q_rad && m.told_power == core::PowerMode::kOff);
  return table;
}

double Judge::TravelRad(core::Instant from, core::Instant to) const {
  std::optional<core::AxisArray> begin;
  double travel = 0;
  Each(from, to, [&](const Moment& m) {
    if (!begin) begin = m.q_rad;
    for (int i = 0; i < core::kJaw; ++i) travel = std::max(travel, std::abs(m.q_rad[At(i)] - (*begin)[At(i)]));
  });
  return travel;
}

}  // namespace nightshift::storm
