// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/check.h"
#include "runtime/control_loop.h"
#include "safety/checks/workspace.h"
#include "tests/fakes/hand_wall.h"
#include "tests/faults/faulty_arm.h"
#include "tests/runtime/lab.h"

/// The whole robot on a hand-driven clock: real Practice and Body, real ControlLoop, Filter and Monitor; only the arm,
/// the table with its objects, the wall clock and the link between the two processes are fakes, behind the product's
/// own interfaces. Trouble begins and ends at set ticks; what is asserted is seen from outside.
namespace nightshift::tests {

using std::chrono::milliseconds;

/// When the trouble begins.
enum class Phase { kIdle, kPractising, kRecovering, kStopping };
inline constexpr int kPhases = 4;

/// What was seen from outside from the beginning of the trouble to its end, and afterwards.
struct Story {
  bool began = false;
  std::vector<core::StopCause> raised;  // kNone: joined a worse one.
  std::optional<milliseconds> rest;     // From the beginning until stopped and at rest.
  std::optional<milliseconds> still;    // The same, whatever made it rest, for half a second at least.
  bool powered_off = false, latched_at_end = false, cleared_by_someone = false, persons_stop_stood = true;
  int interrupted = 0, good_episodes = 0, stalls = 0;
  bool moves_again = false;
  std::string at_the_end;  // What it was doing, and why.
  double wall_s = 0;       // How long the trouble lasted on the wall.
  std::vector<std::string> limits_left;
  std::vector<std::string> asked;
};

class WholeRobot : private core::ArmPort, private io::ObjectSource {
 public:
  WholeRobot(const Trouble& trouble, Phase phase, core::Pacing pacing)
      : trouble_(trouble), phase_(phase), arm_(trouble_, limits_, pacing, wall_), body_(*this, *this, scene_) {
    config_.person_answers_after_s = 3;
    if (trouble.snapshot_wild || trouble.snapshots_bad.lost > 0) {
      config_.demonstrations_wanted = 0;
      config_.scripted_share = 0.5;
      config_.learned_share_min = 1;
    }
    if (phase != Phase::kIdle) world_.PutsObject(0.20, phase == Phase::kRecovering ? -0.15 : 0.0);
    journal_.on_close = [this](const core::Episode& episode) { Note(episode); };
    arm_.robot_now = [this] { return loop_.now(); };
    runtime::PracticeParts parts{body_,
                                 journal_,
                                 world_,
                                 ear_,
                                 random_,
                                 [this] { return NewSnapshots(); },
                                 [](const std::string&, std::int64_t) { return std::nullopt; },
                                 [this] { AwaitLearner(); }};
    practice_ = runtime::Practice::Make(std::move(parts), scene_, config_, runtime::TabletopTasks()).value();
  }

  Story Lives() {
    for (int i = 0; i < kCyclesMax && !begin_; ++i) Cycle();
    if (!begin_) return story_;
    while (tick_ < *begin_ + Ticks(trouble_.lasts)) Cycle();
    Conclude();
    return story_;
  }

 private:
  static constexpr int kCyclesMax = 60;
  static constexpr milliseconds kReturnMax{60'000};  // Until an attempt succeeds again.
  static constexpr int kAnswerTicksMax = 750;        // Three seconds: what the supervisor waits for an answer.
  static constexpr int kStillTicks = 125;
  static constexpr int kHeatTicks = 75;

  static std::int64_t Ticks(milliseconds time) { return time / kTick; }

  /// As the supervisor's loop: what may pass is waited out.
  void Cycle() {
    if (!practice_->Cycle()) (void)body_.Rest();
  }

  void Conclude() {
    if (phase_ == Phase::kIdle) world_.PutsObject(0.20, 0.0);
    const int good = good_;
    for (const auto end = tick_ + Ticks(kReturnMax); tick_ < end && good_ == good;) {
      const core::LatchReport latch = filter_.latch();
      const bool asked = std::ranges::any_of(world_.asked, [](const auto& q) { return q.second == core::kTheRobot; });
      if ((persons_ && latch.worst == core::StopCause::kOperator) || (asked && latch.needs_person)) PersonClears();
      Cycle();
    }
    story_.moves_again = good_ > good;
    story_.at_the_end = practice_->status().activity + ": " + practice_->status().why;
    story_.limits_left = arm_.limits_left;
    for (const auto& [why, object] : world_.asked) story_.asked.push_back(why);
  }

  void PersonClears() {
    const core::LatchReport latch = filter_.latch();
    mailbox_.Post(runtime::AcknowledgeMail{
        ++ticket_, {.latch_id = latch.id, .nonce = latch.nonce, .by = safety::ClearedBy::kPerson}});
    Tick();
  }

  // ---- Time ----

  void Tick() {
    const bool was = arm_.failing;
    arm_.failing = begin_ && tick_ >= *begin_ && tick_ < *begin_ + Ticks(trouble_.lasts);
    arm_.heated = heat_from_ && tick_ >= *heat_from_ && tick_ < *heat_from_ + kHeatTicks;
    arm_.powers_up_late = arm_.failing || (heat_from_ && tick_ >= *heat_from_ && tick_ < *begin_);
    if (arm_.failing && !was) {
      if (phase_ == Phase::kStopping) PersonStops();
      last_latch_ = filter_.latch();
      wall_begin_ = wall_.now;
      story_.began = true;
    }
    if (arm_.failing && trouble_.stall > milliseconds(0)) Stall();
    LoopTick();
    if (story_.began) Watch();
    if (arm_.failing) story_.latched_at_end = filter_.latch().latched();
    if (was && !arm_.failing) story_.wall_s = std::chrono::duration<double>(wall_.now - wall_begin_).count();
  }
  void LoopTick() {
    loop_.Tick();
    tick_ = loop_.now().time_since_epoch() / kTick;
  }
  void PersonStops() {
    mailbox_.Post(runtime::StopMail{++ticket_});
    persons_ = true;
    arm_.failing = false;
    LoopTick();
    arm_.failing = true;
  }
  /// At any moment of a tick in which the command moves fast.
  void Stall() {
    constexpr double kFastRadS = 0.6;
    constexpr int kLooksOfATick = 8, kTicksBetween = 60;
    const bool fast =
        std::ranges::any_of(filter_.commanded_v_rad_s(), [](double v) { return std::abs(v) > kFastRadS; });
    if (!fast || tick_ < stalled_tick_ + kTicksBetween) return;
    stalled_tick_ = tick_;
    ++story_.stalls;
    wall_.StallAfter(dice_.Index(kLooksOfATick), trouble_.stall);
  }

  void Watch() {
    const core::LatchReport latch = filter_.latch();
    const milliseconds since = (tick_ - *begin_) * kTick;
    if (arm_.failing && latch.latched() && latch.id != last_latch_.id)
      story_.raised.push_back(!last_latch_.latched()             ? latch.first
                              : latch.worst != last_latch_.worst ? latch.worst
                                                                 : core::StopCause::kNone);
    if (persons_ && arm_.failing && latch.first != core::StopCause::kOperator) story_.persons_stop_stood = false;
    last_latch_ = latch;
    const bool rests = arm_.AtRest() && filter_.Rests();
    if (!rests) still_from_ = tick_;
    const std::int64_t still_ticks = tick_ - still_from_;
    if (!story_.rest && latch.latched() && rests) story_.rest = since;
    if (!story_.still && still_ticks >= kStillTicks) story_.still = since - still_ticks * kTick;
    if (arm_.failing && latch.latched() && arm_.asked_to_power_off) story_.powered_off = true;
  }

  // ---- Safety, as the supervisor has it ----

  core::Result<core::PeriodReport> Exchange(const std::optional<core::ProposedAction>& wanted) override {
    BeginInPhase();
    ++exchanges_;
    std::optional<core::ProposedAction> proposal = wanted;
    if (arm_.failing) {
      if (proposal) Spoil(*proposal);
      for (std::int64_t i = 0; i < Ticks(trouble_.proposal_late); ++i) Tick();
      for (int i = 0; i < trouble_.flood; ++i) mailbox_.Post(runtime::ExchangeMail{++ticket_, std::nullopt});
    }
    const runtime::Ticket ticket = ++ticket_;
    const bool lost = arm_.failing && trouble_.proposals_lost.Hits(exchanges_);
    if (!lost) mailbox_.Post(runtime::ExchangeMail{ticket, proposal});
    const auto report = AnswerTo<runtime::PeriodAnswer>(ticket);
    if (!report) return core::Fail(core::FaultCode::kPeerTimeout, "safety did not answer");
    MoveWorld(wanted);
    return report->report;
  }
  core::Result<void> Clear(const core::LatchReport& latch) override {
    const runtime::Ticket ticket = ++ticket_;
    const bool lost = arm_.failing && trouble_.proposals_lost.Hits(0) && trouble_.proposals_lost.of == 1;
    if (!lost) mailbox_.Post(runtime::AcknowledgeMail{ticket, {.latch_id = latch.id, .nonce = latch.nonce}});
    const auto answer = AnswerTo<runtime::AcknowledgeAnswer>(ticket);
    if (answer && answer->clearance == safety::Clearance::kCleared) {
      story_.cleared_by_someone = story_.cleared_by_someone || arm_.failing;
      return {};
    }
    return core::Fail(core::FaultCode::kRefused, answer ? std::string(Advice(answer->clearance)) : "no answer");
  }

  template <typename Wanted>
  std::optional<Wanted> AnswerTo(runtime::Ticket ticket) {
    for (int i = 0; i < kAnswerTicksMax; ++i) {
      Tick();
      while (const auto answer = answers_.Take())
        if (const auto* one = std::get_if<Wanted>(&*answer); one && one->ticket == ticket) return *one;
    }
    return std::nullopt;
  }

  void Spoil(core::ProposedAction& proposal) {
    if (trouble_.proposal_repeats) {
      if (!repeated_) repeated_ = proposal;
      proposal = *repeated_;
    }
    if (trouble_.proposal_nan) proposal.target_q_rad[core::kWrist] = kNaN;
    if (trouble_.proposal_wild)
      for (double& target : proposal.target_q_rad) target = exchanges_ % 4 < 2 ? 100 : -100;
  }

  /// The table: what the fingers hold, and where the arm really is.
  void MoveWorld(std::optional<core::ProposedAction> proposal) {
    if (proposal) proposal->target_q_rad = arm_.truth().q_rad;
    (void)world_.Exchange(proposal);
    arm_.jaw_stops_at_rad = world_.held() ? std::optional(0.45) : std::nullopt;
  }

  void BeginInPhase() {
    if (begin_) return;
    const std::string& doing = practice_->status().activity;
    const std::string wanted = phase_ == Phase::kIdle         ? "waiting"
                               : phase_ == Phase::kRecovering ? "recovering"
                                                              : "practising";
    periods_in_phase_ = doing.starts_with(wanted) && !filter_.latch().latched() ? periods_in_phase_ + 1 : 0;
    if (periods_in_phase_ < 6) return;
    constexpr int kInsideThePeriod = 12, kCooledTicks = 2;
    if (trouble_.after_heat) heat_from_ = tick_ + kInsideThePeriod;
    begin_ = tick_ + kInsideThePeriod + (trouble_.after_heat ? kHeatTicks + kCooledTicks : 0);
  }

  // ---- The camera ----

  io::Sighting Look(const io::ArmView& view) override {
    ++looks_;
    const bool no_picture = arm_.failing && (trouble_.picture || trouble_.looks_lost.Hits(looks_));
    world_.Blinds(no_picture);
    io::Sighting sight = world_.Look(view);
    sights_.push_front(sight);
    if (sights_.size() > 30) sights_.pop_back();
    if (!arm_.failing) {
      shown_ = sight;
      return sight;
    }
    for (std::int64_t i = 0; i < Ticks(trouble_.look_takes); ++i) Tick();
    if (no_picture) sight.frame = trouble_.picture.value_or(core::FrameHealth::kAbsent);
    if (trouble_.sight_freezes) sight = shown_;
    if (trouble_.sight_late_looks > 0)
      sight = sights_[std::min(sights_.size() - 1, static_cast<std::size_t>(trouble_.sight_late_looks))];
    for (int i = 0; i < sight.object_count; ++i) {
      core::Vec3& at = sight.objects[static_cast<std::size_t>(i)].position_m;
      if (trouble_.object_nan) at = {kNaN, kNaN, kNaN};
      at.y += trouble_.object_off_m;
    }
    return sight;
  }

  // ---- The learner ----

  std::vector<skills::Snapshot> NewSnapshots() {
    ++snapshot_looks_;
    if (!arm_.failing && !begin_) return {};
    if (trouble_.snapshot_repeats) return {ConstantPolicy("pick", 1, 3)};
    const float bad = std::numeric_limits<float>::quiet_NaN();
    if (trouble_.snapshot_nan) return {ConstantPolicy("pick", ++version_, bad)};
    if (trouble_.snapshots_bad.lost > 0)
      return {ConstantPolicy("pick", ++version_, trouble_.snapshots_bad.Hits(snapshot_looks_) ? bad : 3)};
    if (trouble_.snapshot_wild) return {ConstantPolicy("pick", ++version_, -1e30f)};
    if (trouble_.snapshot_of_no_task) return {ConstantPolicy("juggle", ++version_, 3)};
    if (trouble_.snapshot_after_looks >= 0 && version_ == 0 && snapshot_looks_ > trouble_.snapshot_after_looks)
      return {ConstantPolicy("pick", ++version_, 3)};
    return {};
  }
  void AwaitLearner() {
    while (arm_.failing && trouble_.learner_behind)
      if (!body_.Rest()) return;
  }

  void Note(const core::Episode& episode) {
    if (begin_ && episode.outcome == core::Outcome::kInterrupted) ++story_.interrupted;
    if (story_.began && !arm_.failing && episode.outcome == core::Outcome::kSuccess) ++good_;
  }

  Trouble trouble_;
  Phase phase_;
  safety::Limits limits_;
  skills::Scene scene_;
  runtime::PracticeConfig config_;
  HandWall wall_;
  safety::Filter filter_{limits_, {.epoch = 10, .nonce_source = 3}};
  runtime::Mailbox mailbox_;
  runtime::AnswerBox answers_;
  FaultyArm arm_;
  runtime::ControlLoop loop_{
      {arm_, filter_, mailbox_, answers_, wall_, nullptr, {}}, limits_, runtime::LoopSpeed::kMax};
  ScriptedWorld world_{scene_};
  MemoryJournal journal_;
  runtime::Ear ear_;
  core::Random random_{1}, dice_{11};  // Of practice; of when it stalls.
  runtime::Body body_;
  std::unique_ptr<runtime::Practice> practice_;

  Story story_;
  std::int64_t tick_ = 0;
  std::optional<std::int64_t> begin_, heat_from_;
  runtime::WallClock::Instant wall_begin_{};
  core::LatchReport last_latch_;
  runtime::Ticket ticket_ = 0;
  std::optional<core::ProposedAction> repeated_;
  std::deque<io::Sighting> sights_;
  io::Sighting shown_;
  std::int64_t exchanges_ = 0, looks_ = 0, snapshot_looks_ = 0, version_ = 0;
  int periods_in_phase_ = 0, good_ = 0;
  std::int64_t still_from_ = 0, stalled_tick_ = 0;
  bool persons_ = false;
};

}  // namespace nightshift::tests
