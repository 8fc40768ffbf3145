// SPDX-License-Identifier: Apache-2.0
#include "runtime/supervisor_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "io/journal/reader.h"
#include "io/journal/sqlite_journal.h"
#include "io/wire/nightshift.pb.h"
#include "monitoring/journal_metrics.h"
#include "monitoring/log.h"
#include "monitoring/metrics.h"
#include "monitoring/practice_metrics.h"
#include "monitoring/risk_metrics.h"
#include "runtime/arm_port.h"
#include "runtime/learner_ear.h"
#include "runtime/metrics_sender.h"
#include "runtime/notify.h"
#include "runtime/practice.h"
#include "runtime/senses.h"
#include "runtime/snapshot_folder.h"
#include "runtime/standing_figures.h"
#include "runtime/supervisor_status.h"

namespace nightshift::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using core::FaultCode;
using core::Result;
using monitoring::Activity;

constexpr std::chrono::milliseconds kTellPeriod{200};
constexpr std::chrono::seconds kTroublePeriod{5};  // Between repeats of the same complaint.
constexpr io::Wait kLearnerLook{700};              // Below safety's wait for a peer: no deadline passes meanwhile.
constexpr int kUnappliedMax = 1000;                // Episodes closed but not counted before a crash: normally one.

/// Everything in one place, so that callbacks can reach it.
class Supervisor : public core::ArmPort, public PracticeListener {
 public:
  struct Links {
    RemoteArm arm;
    std::unique_ptr<io::ObjectSource> eyes;
    std::unique_ptr<Person> person;
    io::Replier control;
    io::Publisher state;
    LearnerEar learner;
  };

  Supervisor(const SupervisorServiceOptions& options, Links links, std::unique_ptr<io::SqliteJournal> journal)
      : options_(options),
        links_(std::move(links)),
        journal_(std::move(journal)),
        metrics_("supervisor", options.version),
        figures_(metrics_),
        journal_figures_(metrics_),
        risk_figures_(metrics_),
        random_(options.seed),
        snapshots_(options.data_directory / "snapshots", [this](const core::Fault& fault) { OnFault(fault); }),
        risk_(options_.config.learner.risk_critic, {.scale_min = options_.config.safety.risk_scale_min},
              [this] { return snapshots_.NewRisk(); }),
        body_(*this, *links_.eyes, options_.config.scene) {}

  Result<void> Begin();
  Result<void> Loop(const std::function<bool()>& must_end);
  std::string Exposition() const { return metrics_.Exposition(); }

  // The arm, watched: every period is a sign of life and a chance to tell and to listen.
  Result<core::PeriodReport> Exchange(const std::optional<core::ProposedAction>& proposal) override;
  Result<void> Clear(const core::LatchReport& report) override { return links_.arm.Clear(report); }

  void OnEpisode(const Attempt& attempt, bool recovery) override;
  void OnFailure(const core::FailureRecord& failure) override { figures_.CountFailure(failure.kind); }
  void OnRecoveryTask(const core::TaskSpec& task) override;
  void OnIntervention(const core::InterventionRecord& intervention) override;
  void OnHelp(const core::InterventionRecord& intervention) override { standing_figures_.TellHelp(intervention); }
  void OnRecovered(core::Duration took) override { figures_.ObserveTimeToRecover(took); }
  void OnPolicy(const core::SnapshotRecord& snapshot) override;
  void OnStatus(const PracticeStatus&) override { TellIfDue(); }
  void OnFault(const core::Fault& fault) override;

 private:
  void AwaitLearner();
  void Hear();
  void TellIfDue();
  void Tell();
  void CountTime(core::Instant now);
  Result<void> Cycle();
  Result<void> Endure(const core::Fault& fault);
  std::vector<std::string> Degraded() const;
  Activity ActivityNow() const;
  bool TimeIsOver() const;

  SupervisorServiceOptions options_;
  Links links_;
  std::unique_ptr<io::SqliteJournal> journal_;
  monitoring::Metrics metrics_;
  monitoring::PracticeMetrics figures_;
  StandingFigures standing_figures_{figures_};
  monitoring::JournalMetrics journal_figures_;
  monitoring::RiskActedMetrics risk_figures_;
  core::Random random_;
  SnapshotFolder snapshots_;
  RiskGuard risk_;
  Body body_;
  std::unique_ptr<Practice> practice_;
  std::optional<core::Instant> last_period_;
  core::Duration practised_{0};  // All sessions.
  core::Duration this_session_{0};
  core::LatchReport latch_;
  Activity activity_ = Activity::kMoving;
  bool paused_ = false, finish_ = false;
  Clock::time_point told_{}, complained_{};
  std::string fault_;
};

Result<void> Supervisor::Begin() {
  auto catalogue = journal_->Load();
  if (!catalogue) return tl::make_unexpected(catalogue.error());
  practised_ = catalogue->practised;
  auto practice = Practice::Make(
      {.body = body_,
       .journal = *journal_,
       .person = *links_.person,
       .listener = *this,
       .random = random_,
       .new_snapshots = [this] { return snapshots_.New(); },
       .snapshot = [this](const std::string& task, std::int64_t version) { return snapshots_.Find(task, version); },
       .await_learner = [this] { AwaitLearner(); },
       .risk = &risk_},
      options_.config.scene, options_.config.practice, options_.config.tasks);
  if (!practice) return tl::make_unexpected(practice.error());
  practice_ = std::move(*practice);
  auto unapplied = io::JournalReader(options_.data_directory).SummariesAfter(catalogue->last_episode, kUnappliedMax);
  if (!unapplied) return tl::make_unexpected(unapplied.error());
  for (const io::EpisodeSummary& summary : *unapplied)
    if (auto applied = practice_->Apply(summary.episode); !applied) return applied;
  return {};
}

Result<void> Supervisor::Loop(const std::function<bool()>& must_end) {
  NotifyReady();
  while (!must_end() && !finish_ && !TimeIsOver()) {
    if (auto done = Cycle(); !done)
      if (auto endured = Endure(done.error()); !endured) return endured;
    TellIfDue();
  }
  NotifyStopping();
  (void)links_.arm.Exchange(std::nullopt);  // Nothing is wanted any more: the arm holds still without a late command.
  return journal_->SavePractised(practised_);
}

Result<void> Supervisor::Cycle() {
  if (paused_) {
    activity_ = Activity::kPaused;
    auto rested = body_.Rest();
    if (!rested) return tl::make_unexpected(rested.error());
    return {};
  }
  activity_ = Activity::kMoving;
  auto cycled = practice_->Cycle();
  if (!cycled) return cycled;
  fault_.clear();
  if (auto attended = links_.person->Attend(body_.seen().time); !attended) OnFault(attended.error());
  return journal_->SavePractised(practised_);
}

/// Trouble that may pass is named and waited out; anything else ends the process.
Result<void> Supervisor::Endure(const core::Fault& fault) {
  OnFault(fault);
  fault_ = fault.detail;
  switch (fault.code) {
    case FaultCode::kDiskFull: activity_ = Activity::kAwaitingDisk; break;
    case FaultCode::kPeerTimeout:
    case FaultCode::kDriverTimeout:  // Safety waits for it, too.
    case FaultCode::kMalformedMessage:
    case FaultCode::kRefused: break;
    case FaultCode::kInvalidConfig:
    case FaultCode::kMissingFile:
    case FaultCode::kDriverLost:
    case FaultCode::kCameraTimeout:
    case FaultCode::kNotFinite:
    case FaultCode::kOutOfReach:
    case FaultCode::kCorruptSnapshot:
    case FaultCode::kCorruptState:
    case FaultCode::kSchemaTooNew:
    case FaultCode::kIoFailed:
    case FaultCode::kAlreadyRunning: return tl::make_unexpected(fault);
  }
  Tell();
  (void)body_.Rest();  // Bounded by its own wait; keeps the arm holding while the disk is full.
  return {};
}

Result<core::PeriodReport> Supervisor::Exchange(const std::optional<core::ProposedAction>& proposal) {
  auto report = links_.arm.Exchange(proposal);
  Hear();
  if (report) {
    CountTime(report->joints.time);
    latch_ = report->latch;
    NotifyProgress();
  }
  TellIfDue();
  return report;
}

void Supervisor::CountTime(core::Instant now) {
  const core::Duration spent = last_period_ ? now - *last_period_ : core::Duration(0);
  last_period_ = now;
  if (spent <= core::Duration(0) || spent > core::Seconds(60)) return;  // Another session of the device's clock.
  practised_ += spent;
  this_session_ += spent;
  figures_.AddRobotTime(ActivityNow(), spent);
}

Activity Supervisor::ActivityNow() const {
  if (activity_ != Activity::kMoving) return activity_;
  if (latch_.latched()) return Activity::kStopped;
  const std::string& doing = practice_->status().activity;
  if (doing.starts_with("practising")) return Activity::kPractice;
  if (doing.starts_with("recovering")) return Activity::kRecovery;
  if (doing.starts_with("waiting")) return Activity::kAwaitingPerson;
  return Activity::kMoving;
}

bool Supervisor::TimeIsOver() const { return options_.robot_time && this_session_ >= *options_.robot_time; }

/// In robot time that can wait, practice waits for the learner: more than the backlog allowed, and it holds still.
void Supervisor::AwaitLearner() {
  LearnerEar& learner = links_.learner;
  learner.Hear(io::Wait(0));
  while (!finish_ && !TimeIsOver() && learner.Behind(options_.config.practice.backlog_updates_max, Clock::now())) {
    activity_ = Activity::kAwaitingLearner;
    practice_->Say("waiting for the learner", fmt::format("it is {:.0f} updates behind", learner.backlog_updates()));
    learner.Hear(kLearnerLook);
    if (!body_.Rest()) break;
  }
  activity_ = Activity::kMoving;
}

void Supervisor::Hear() {
  while (const auto request = links_.control.Receive(io::Wait(0))) {
    wire::SupervisorRequest asked;
    wire::SupervisorReply reply;
    reply.mutable_done();
    if (!asked.ParseFromString(request->body) || asked.protocol() != 1 ||
        asked.what_case() == wire::SupervisorRequest::WHAT_NOT_SET) {
      reply.mutable_refused()->set_code(std::string(Name(FaultCode::kMalformedMessage)));
      reply.mutable_refused()->set_detail("not a SupervisorRequest of protocol 1; see docs/wire.md");
    } else if (asked.has_pause()) {
      paused_ = true;
    } else if (asked.has_resume()) {
      paused_ = false;
    } else if (asked.has_finish()) {
      finish_ = true;
    }
    links_.control.Reply(*request, reply.SerializeAsString());
  }
}

std::vector<std::string> Supervisor::Degraded() const {
  std::vector<std::string> modes;
  if (options_.config.perception.source == io::PerceptionSource::kGroundTruth)
    modes.push_back("perception_is_ground_truth");
  if (links_.learner.Dead(Clock::now())) modes.push_back("learner_is_dead");
  if (!options_.config.practice.recovery) modes.push_back("recovery_is_off");
  if (options_.config.safety.contact_zones.empty()) modes.push_back("contact_is_not_watched");
  if (body_.seen().frame != core::FrameHealth::kGood) modes.push_back("camera_shows_nothing");
  return modes;
}

void Supervisor::TellIfDue() {
  const auto now = Clock::now();
  if (!practice_ || now - told_ < kTellPeriod) return;
  Tell();
}

void Supervisor::Tell() {
  told_ = Clock::now();
  const Surroundings around{.now = body_.seen().time,
                            .practised = practised_,
                            .latch = latch_,
                            .degraded = Degraded(),
                            .risk = risk_.InWords(),
                            .fault = fault_};
  links_.state.Publish(EncodeStatus(*practice_, around));
  NotifyStatus(practice_->status().activity);
  figures_.SetPractised(practised_);
  figures_.SetPractising(paused_ || !fault_.empty() ? monitoring::PracticeMetrics::Practising::kNo
                                                    : monitoring::PracticeMetrics::Practising::kYes);
  figures_.SetDegraded(around.degraded);
  standing_figures_.Tell(*practice_, practised_);
  risk_figures_.Set({.acts = risk_.acts() ? monitoring::RiskActed::Acts::kYes : monitoring::RiskActed::Acts::kNo,
                     .full = risk_.counts().full,
                     .slowed = risk_.counts().slowed,
                     .refused = risk_.counts().refused});
  metrics_.SetMalformed(static_cast<double>(links_.control.malformed()));
}

void Supervisor::OnEpisode(const Attempt& attempt, bool recovery) {
  const core::Episode& episode = attempt.episode;
  figures_.CountEpisode(episode, recovery ? practice_->FailureKindOf(episode.task) : "");
  const auto& stats = journal_->stats();
  journal_figures_.CountCommit({.transitions = static_cast<std::int64_t>(episode.steps.size()),
                                .seconds = stats.last_close_seconds,
                                .bytes = stats.bytes});
  for (const core::Transition& step : episode.steps) figures_.ObserveFrame(step.after.frame, step.after.frame_age);
  for (const core::Competence& known : practice_->competence())
    if (known.task == episode.task && known.skill == episode.skill) figures_.SetCompetence(known);
  journal_figures_.SetLearnerLag(std::max<std::int64_t>(0, stats.last_closed_episode - links_.learner.cursor()));
}

void Supervisor::OnRecoveryTask(const core::TaskSpec& task) {
  monitoring::LogInfo("new recovery task \"" + task.name + "\" for failures \"" + task.signature + "\"");
}

void Supervisor::OnIntervention(const core::InterventionRecord& intervention) {
  figures_.CountIntervention(intervention.reason);
  monitoring::LogWarning(intervention.reason + " (object " + std::to_string(intervention.object) + ")");
}

void Supervisor::OnPolicy(const core::SnapshotRecord& snapshot) {
  if (snapshot.state == Name(skills::Ruling::kPromoted))
    figures_.CountPromoted(snapshot.task);
  else if (snapshot.state == Name(skills::Ruling::kRefused))
    figures_.CountRefused(snapshot.task);
  else if (snapshot.state == Name(skills::Ruling::kRolledBack))
    figures_.CountRolledBack(snapshot.task);
  else
    figures_.CountRejected(snapshot.task);
  monitoring::LogInfo("policy " + std::to_string(snapshot.version) + " for " + snapshot.task + " " + snapshot.state +
                      " on " + std::to_string(snapshot.solved) + " of " + std::to_string(snapshot.attempts) +
                      " attempts: " + snapshot.why);
}

void Supervisor::OnFault(const core::Fault& fault) {
  metrics_.CountFault(fault.code);
  const auto now = Clock::now();
  if (now - complained_ < kTroublePeriod) return;
  complained_ = now;
  monitoring::LogFault("practising", fault);
}

Result<Supervisor::Links> Connect(const SupervisorServiceOptions& options) {
  auto arm = RemoteArm::Connect(options.endpoints.safety_command);
  if (!arm) return tl::make_unexpected(arm.error());
  auto eyes = MakeEyes(options.config, options.endpoints);
  if (!eyes) return tl::make_unexpected(eyes.error());
  auto person = MakePerson(options.config, options.endpoints);
  if (!person) return tl::make_unexpected(person.error());
  auto control = io::Replier::Bind(options.endpoints.supervisor_control);
  if (!control) return tl::make_unexpected(control.error());
  auto state = io::Publisher::Bind(options.endpoints.supervisor_state);
  if (!state) return tl::make_unexpected(state.error());
  auto learner = io::Subscriber::Connect(options.endpoints.learner_state);
  if (!learner) return tl::make_unexpected(learner.error());
  const std::chrono::duration<double> silence_max(options.config.practice.backlog_wait_s_max);
  return Supervisor::Links{std::move(*arm),    std::move(*eyes),
                           std::move(*person), std::move(*control),
                           std::move(*state),  LearnerEar(std::move(*learner), silence_max, Clock::now())};
}

}  // namespace

core::Result<void> ServeSupervisor(const SupervisorServiceOptions& options, const std::function<bool()>& must_end) {
  auto journal = io::SqliteJournal::Open(options.data_directory);  // Takes the lock before any socket is bound.
  if (!journal) return tl::make_unexpected(journal.error());
  auto links = Connect(options);
  if (!links) return tl::make_unexpected(links.error());
  Supervisor supervisor(options, std::move(*links), std::move(*journal));
  if (auto begun = supervisor.Begin(); !begun) return begun;
  const MetricsSender sender(options.endpoints.metrics,
                             {"supervisor", [&supervisor] { return supervisor.Exposition(); }});
  return supervisor.Loop(must_end);
}

}  // namespace nightshift::runtime
