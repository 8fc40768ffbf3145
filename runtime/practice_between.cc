// SPDX-License-Identifier: Apache-2.0
// What practice does between attempts: has stops cleared, steps back, goes home, waits.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/kinematics.h"
#include "runtime/practice.h"

namespace nightshift::runtime {
namespace {

using core::Result;

constexpr int kHomingPeriodsMax = 40;  // 4 s: from anywhere in the workspace at 0.25 m/s.
constexpr int kStepBackPeriodsMax = 12;
constexpr int kWaitPeriods = 10;           // One second between looks while there is nothing to do.
constexpr double kStepBackHeightM = 0.14;  // Out of the camera's line to the tray.
constexpr double kHomeToleranceM = 0.02;
constexpr double kRisenM = 0.005;  // Less than this is no rising: something is in the way of it.
constexpr double kNudgeRad = 0.1;
constexpr double kThereRad = 0.01;
constexpr int kNudgesMax = 12;  // With one joint at a time: 1.2 rad.
constexpr int kRoundsMax = 3;

}  // namespace

Result<void> Practice::ApplyLatch() {
  const core::LatchReport latch = parts_.body.report().latch;
  Say("stopped by safety", std::string(Name(latch.worst)));
  if (auto asked = AskAboutStop(latch); !asked) return asked;
  if (auto cleared = parts_.body.Clear(); !cleared) return Wait(cleared.error().detail);
  return StepBack();
}

/// Once for each stop that waits for a person who did not make it.
Result<void> Practice::AskAboutStop(const core::LatchReport& latch) {
  if (!latch.needs_person || latch.worst == core::StopCause::kOperator || asked_about_stop_) return {};
  auto asked = OpenQuestion(core::kTheRobot,
                            fmt::format("stopped because of {}: look, then nightshift clear", Name(latch.worst)));
  if (!asked) return tl::make_unexpected(asked.error());
  asked_about_stop_ = *asked;
  return {};
}

/// It runs: who was asked has looked.
Result<void> Practice::NoteCleared() {
  if (!asked_about_stop_) return {};
  asked_about_stop_->resolved = parts_.body.seen().time;
  if (auto saved = parts_.journal.SaveIntervention(*asked_about_stop_); !saved) return saved;
  parts_.listener.OnHelp(*asked_about_stop_);
  asked_about_stop_.reset();
  return {};
}

Result<void> Practice::Wait(const std::string& why) {
  Say("waiting", why);
  for (int i = 0; i < kWaitPeriods; ++i)
    if (auto rested = parts_.body.Rest(); !rested) return tl::make_unexpected(rested.error());
  return {};
}

/// Up, and look: what was hidden by the hand is seen again. An object that is held stays held.
Result<void> Practice::StepBack() {
  auto risen = Rise(kStepBackHeightM, HeldObject().has_value());
  for (int i = 0; i < config_.settle_periods && risen; ++i) {
    if (auto rested = parts_.body.Rest(); !rested) risen = tl::make_unexpected(rested.error());
  }
  return risen;
}

/// To a height, if the tip is below it. Where that is refused, something is too near: first away from it.
Result<void> Practice::Rise(double height_m, bool keep) {
  const core::Vec3 from = parts_.body.seen().commanded_tip_m;
  const core::Vec3 to{from.x, from.y, std::max(height_m, from.z)};
  const auto risen = parts_.body.GoTo(to, keep, kStepBackPeriodsMax);
  if (!risen) return tl::make_unexpected(risen.error());
  const bool refused = risen->report.verdict == core::Verdict::kRefused;
  if (!refused || parts_.body.seen().commanded_tip_m.z - from.z > kRisenM) return {};
  return WorkFree();
}

/// An arm that was pushed out of its limits finds its way back one joint at a time: of all that is tried, safety
/// accepts only what leads back. Towards where it is at home; if no joint may go there, the other way. The elbow first:
/// folded in, it brings the hand to the arm's own base.
Result<void> Practice::WorkFree() {
  const auto home_q_rad = core::InverseKinematics(scene_.arm, scene_.home_m, 0);
  if (!home_q_rad) return {};
  constexpr std::array kOrder{core::kElbow, core::kLift, core::kWrist, core::kPan, core::kRoll};
  for (const double sense : {1.0, -1.0}) {
    bool moved = false;
    for (int round = 0; round < kRoundsMax; ++round)
      for (const int axis : kOrder) {
        const auto at = static_cast<std::size_t>(axis);
        for (int i = 0; i < kNudgesMax; ++i) {
          const double left_rad = (*home_q_rad)[at] - parts_.body.report().commanded_q_rad[at];
          if (std::abs(left_rad) < kThereRad) break;
          const auto nudged = parts_.body.Nudge(axis, sense * std::clamp(left_rad, -kNudgeRad, kNudgeRad));
          if (!nudged) return tl::make_unexpected(nudged.error());
          if (nudged->report.latch.latched()) return {};
          if (nudged->report.verdict == core::Verdict::kRefused) break;
          moved = true;
        }
      }
    if (moved) return {};
  }
  return {};
}

Result<void> Practice::Home() {
  if (Norm(parts_.body.seen().tip_m - scene_.home_m) < kHomeToleranceM) return {};
  Say("going home", "so that the next attempt begins where it can see");
  if (auto risen = Rise(scene_.carry_height_m, false); !risen) return risen;
  auto moved = parts_.body.GoTo(scene_.home_m, false, kHomingPeriodsMax);
  if (moved && moved->report.verdict == core::Verdict::kRefused)
    if (auto freed = WorkFree(); !freed) return freed;
  for (int i = 0; i < config_.settle_periods && moved; ++i) moved = parts_.body.Rest();
  if (!moved) return tl::make_unexpected(moved.error());
  return {};
}

}  // namespace nightshift::runtime
