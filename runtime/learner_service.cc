// SPDX-License-Identifier: Apache-2.0
#include "runtime/learner_service.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "io/journal/instance_lock.h"
#include "io/journal/reader.h"
#include "io/wire/nightshift.pb.h"
#include "learner/snapshot_store.h"
#include "monitoring/learner_metrics.h"
#include "monitoring/log.h"
#include "monitoring/metrics.h"
#include "monitoring/risk_metrics.h"
#include "runtime/learner_figures.h"
#include "runtime/metrics_sender.h"
#include "runtime/notify.h"
#include "skills/sealed_file.h"

namespace nightshift::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using core::FaultCode;

constexpr std::chrono::milliseconds kReadPeriod{100};  // How stale the newest episode may be.
constexpr std::chrono::milliseconds kTrainSlice{20};   // Updates in a row before looking up.
constexpr std::chrono::milliseconds kRiskSlice{2};     // Of them for the risk critic: a tenth at most.
constexpr std::chrono::milliseconds kIdle{20};         // Nothing to train on: wait for episodes.
constexpr std::chrono::seconds kSavePeriodMax{30};     // Also when little is learned.
constexpr std::chrono::seconds kTroublePeriod{10};     // Between repeats of the same complaint.

/// What stands about one task beside its agent.
struct Published {
  std::int64_t version = 0;
  std::int64_t updates = -1;  // Of the agent, when it was published; -1: never in this session.
};

/// Something to be done every so often.
class Every {
 public:
  explicit Every(Clock::duration period) : period_(period) {}
  bool Due(Clock::time_point now) {
    if (now < next_) return false;
    next_ = now + period_;
    return true;
  }

 private:
  Clock::duration period_;
  Clock::time_point next_{};
};

class Service {
 public:
  Service(const LearnerServiceOptions& options, io::Publisher publisher, learner::SnapshotStore snapshots)
      : options_(options),
        publisher_(std::move(publisher)),
        snapshots_(std::move(snapshots)),
        reader_(options.data_directory),
        trainer_(options.learner, options.scene),
        metrics_("learner", options.version),
        figures_(metrics_),
        risk_figures_(metrics_),
        status_every_(std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(options.learner.status_period_s))) {}

  core::Result<void> Restore();
  core::Result<void> Loop(const std::function<bool()>& must_end);

 private:
  std::string manifest() const { return (options_.data_directory / "learner" / "manifest").string(); }
  core::Result<void> Read();
  core::Result<void> KnowCatalogue();
  core::Result<void> Take();
  void EndRefill();
  int Train(Clock::time_point until);
  int TrainRisk(Clock::time_point until);
  void PublishRiskIfDue();
  void PublishWhatIsDue();
  void Publish(const learner::AgentFacts& agent);
  void SaveIfDue(Clock::time_point now);
  core::Result<void> Save();
  void Tell();
  void TellMetrics(const std::vector<learner::AgentFacts>& agents);
  std::string StateInWords(const std::vector<learner::AgentFacts>& agents) const;
  void Complain(const std::string& doing, const core::Fault& fault);
  std::int64_t UpdatesSincePromoted(const learner::AgentFacts& agent);

  LearnerServiceOptions options_;
  io::Publisher publisher_;
  learner::SnapshotStore snapshots_;
  io::JournalReader reader_;
  learner::Trainer trainer_;
  monitoring::Metrics metrics_;
  monitoring::LearnerMetrics figures_;
  monitoring::RiskLearnedMetrics risk_figures_;
  std::map<std::string, Published> published_;
  std::map<std::string, std::int64_t> promoted_;     // Task -> version.
  std::map<std::int64_t, std::int64_t> updates_of_;  // Version that was promoted -> updates behind it; -1: not known.
  Clock::time_point heard_ = Clock::now();           // The last episode, or the start.
  std::string last_told_;                            // The newest status, serialised.
  std::int64_t risk_published_ = -1;                 // Its updates then; -1: never in this session.
  skills::RiskReport risk_report_;                   // As of then.
  std::set<std::int64_t> needed_;                    // Snapshots that the catalogue holds on to.
  std::int64_t refilled_to_ = 0;                     // Episodes up to here were known before this session.
  std::int64_t updates_at_save_ = 0, cursor_at_save_ = 0;
  std::int64_t updates_at_start_ = 0, steps_at_start_ = 0, updates_at_tell_ = 0;
  Clock::time_point told_{};
  double updates_per_second_ = 0;
  std::string trouble_;  // Shown in the status while it lasts.
  Every read_every_{kReadPeriod}, status_every_, save_every_{kSavePeriodMax}, complain_every_{kTroublePeriod};
};

void Service::Complain(const std::string& doing, const core::Fault& fault) {
  trouble_ = doing + ": " + fault.detail;
  metrics_.CountFault(fault.code);
  if (complain_every_.Due(Clock::now())) monitoring::LogFault(doing, fault);
}

core::Result<void> Service::Restore() {
  std::error_code error;
  std::filesystem::create_directories(options_.data_directory / "learner", error);  // If it failed, Save says so.
  const auto loaded = trainer_.Load(manifest());
  if (!loaded && loaded.error().code != FaultCode::kMissingFile)
    return core::Fail(loaded.error().code,
                      loaded.error().detail + "; to begin anew from the journal, move both files away");
  if (loaded && !loaded->empty())
    monitoring::LogWarning("the newest manifest cannot be used, its predecessor is: " + *loaded);
  if (auto known = trainer_.Know(options_.tasks); !known) return known;
  if (auto known = KnowCatalogue(); !known) return known;
  refilled_to_ = trainer_.counted_cursor();
  updates_at_start_ = updates_at_tell_ = updates_at_save_ = trainer_.updates();
  steps_at_start_ = trainer_.steps();
  cursor_at_save_ = refilled_to_;
  told_ = Clock::now();
  return {};
}

core::Result<void> Service::KnowCatalogue() {
  auto catalogue = reader_.Load();
  if (!catalogue) return tl::make_unexpected(catalogue.error());
  needed_.clear();
  promoted_.clear();
  for (const core::SnapshotRecord& snapshot : catalogue->snapshots) {
    if (snapshot.state == "promoted") promoted_[snapshot.task] = std::max(promoted_[snapshot.task], snapshot.version);
    if (snapshot.state == "promoted" || snapshot.state == "candidate") needed_.insert(snapshot.version);
    auto& published = published_[snapshot.task];
    published.version = std::max(published.version, snapshot.version);
  }
  return trainer_.Know(catalogue->recovery_tasks);
}

/// A damaged or too new journal ends the process; anything else may pass.
core::Result<void> Service::Read() {
  auto taken = Take();
  if (taken) return {};
  const FaultCode code = taken.error().code;
  if (code == FaultCode::kCorruptState || code == FaultCode::kSchemaTooNew) return taken;
  Complain("reading the journal", taken.error());
  return {};
}

core::Result<void> Service::Take() {
  const auto episodes = reader_.ClosedAfter(trainer_.cursor(), options_.learner.episodes_per_read);
  if (!episodes) return tl::make_unexpected(episodes.error());
  if (episodes->empty()) {
    EndRefill();
    return {};
  }
  heard_ = Clock::now();
  if (auto known = KnowCatalogue(); !known) return known;
  const bool refilling = trainer_.cursor() < refilled_to_;
  for (const core::Episode& episode : *episodes) trainer_.Ingest(episode);
  if (refilling && trainer_.cursor() >= refilled_to_)
    if (const std::string trouble = trainer_.RefillTrouble(); !trouble.empty()) monitoring::LogWarning(trouble);
  return {};
}

/// The journal has no more: where the manifest knows of later episodes, waiting for them would be waiting for ever.
void Service::EndRefill() {
  if (trainer_.cursor() >= refilled_to_) return;
  trainer_.EndRefill();
  monitoring::LogWarning("the journal ends at episode " + std::to_string(trainer_.cursor()) +
                         ", the manifest knows of " + std::to_string(refilled_to_) + ". " + trainer_.RefillTrouble());
  refilled_to_ = cursor_at_save_ = trainer_.cursor();
}

/// Updates until there is nothing due or the slice is over; returns how many.
int Service::Train(Clock::time_point until) {
  int made = 0;
  while (trainer_.Backlog() >= 1 && Clock::now() < until) {
    const auto update = trainer_.UpdateOnce();
    if (!update) break;
    ++made;
    if (update->facts.diverged)
      Complain("training " + update->task,
               {FaultCode::kNotFinite, "an update diverged and was refused; the last healthy weights are back"});
  }
  return made;
}

int Service::TrainRisk(Clock::time_point until) {
  int made = 0;
  for (; trainer_.risk().Backlog() >= 1 && Clock::now() < until; ++made) trainer_.risk().Update();
  return made;
}

void Service::PublishRiskIfDue() {
  const std::int64_t updates = trainer_.risk().state().updates;
  if (risk_published_ >= 0 && updates < risk_published_ + options_.learner.risk.publish_every) return;
  risk_published_ = updates;  // Also when it fails: then the next one is tried.
  const skills::RiskSnapshot snapshot = trainer_.risk().Snapshot();
  risk_report_ = snapshot.report;
  const auto file = options_.data_directory / "snapshots" / skills::kRiskFileName;
  if (auto written = skills::WriteRiskSnapshot(file.string(), snapshot); !written)
    Complain("publishing the risk critic", written.error());
}

void Service::PublishWhatIsDue() {
  for (const learner::AgentFacts& agent : trainer_.Facts()) {
    if (!trainer_.MayPublish(agent.task)) continue;
    const Published& last = published_[agent.task];
    const bool first = last.version == 0;
    const std::int64_t since = agent.updates - std::max<std::int64_t>(last.updates, 0);
    const bool moves = agent.phase == learner::Phase::kLearning;
    if (first || (moves && since >= options_.learner.publish_every)) Publish(agent);
  }
}

void Service::Publish(const learner::AgentFacts& agent) {
  auto weights = trainer_.Weights(agent.task);
  if (!weights) return Complain("publishing " + agent.task, weights.error());
  Published& last = published_[agent.task];
  last.updates = agent.updates;  // Also when it fails: then the next one is tried.
  const auto version =
      snapshots_.Write(agent.task, agent.updates, std::move(*weights), trainer_.HeldOutValueOf(agent.task));
  if (!version) return Complain("publishing " + agent.task, version.error());
  last.version = *version;
  figures_.CountPublished(agent.task);
  snapshots_.Prune(agent.task, options_.learner.snapshots_kept, needed_);
}

void Service::SaveIfDue(Clock::time_point now) {
  const bool much = trainer_.updates() - updates_at_save_ >= options_.learner.save_every;
  const bool anything = trainer_.updates() != updates_at_save_ || trainer_.cursor() > cursor_at_save_;
  if (!much && !(anything && save_every_.Due(now))) return;
  if (auto saved = Save(); !saved) Complain("saving the manifest", saved.error());
}

core::Result<void> Service::Save() {
  if (trainer_.cursor() < refilled_to_) return {};  // The replay is still being refilled: nothing is new.
  updates_at_save_ = trainer_.updates();
  cursor_at_save_ = trainer_.cursor();
  // For `nightshift doctor`, when nobody is alive to ask; nothing is read back from it.
  (void)skills::WriteSealed((options_.data_directory / "learner" / "status").string(), last_told_);
  return trainer_.Save(manifest());
}

/// How far learning has gone beyond what is deployed; 0 where nothing is, or its file is gone.
std::int64_t Service::UpdatesSincePromoted(const learner::AgentFacts& agent) {
  const auto promoted = promoted_.find(agent.task);
  if (promoted == promoted_.end()) return 0;
  auto [known, fresh] = updates_of_.try_emplace(promoted->second, -1);
  if (fresh)
    if (const auto read = skills::ReadSnapshot(snapshots_.PathOf(agent.task, promoted->second).string()))
      known->second = read->updates;
  return known->second < 0 ? 0 : agent.updates - known->second;
}

std::string Service::StateInWords(const std::vector<learner::AgentFacts>& agents) const {
  if (trainer_.cursor() < refilled_to_) return "reading the journal again";
  for (const auto& agent : agents)
    if (agent.backlog >= 1) return "training";
  return "waiting for data";
}

void Service::Tell() {
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - told_).count();
  if (seconds > 0) updates_per_second_ = static_cast<double>(trainer_.updates() - updates_at_tell_) / seconds;
  updates_at_tell_ = trainer_.updates();
  told_ = now;
  const auto agents = trainer_.Facts();
  wire::LearnerStatus status;
  status.set_cursor(trainer_.cursor());
  status.set_transitions(static_cast<std::uint64_t>(trainer_.steps()));
  status.set_updates(static_cast<std::uint64_t>(trainer_.updates()));
  status.set_updates_per_second(updates_per_second_);
  status.set_backlog(trainer_.Backlog());
  status.set_state(StateInWords(agents) + (trouble_.empty() ? "" : "; " + trouble_));
  for (const learner::AgentFacts& agent : agents) {
    auto* out = status.add_agents();
    Put(agent, *out);
    out->set_published_version(published_[agent.task].version);
    out->set_updates_since_promoted(static_cast<std::uint64_t>(UpdatesSincePromoted(agent)));
    if (agent.keeps_diverging) status.add_degraded("learner_diverges");
  }
  const auto steps = static_cast<double>(trainer_.steps() - steps_at_start_);
  status.set_update_ratio(steps > 0 ? static_cast<double>(trainer_.updates() - updates_at_start_) / steps : 0);
  status.set_update_ratio_target(options_.learner.update_ratio);
  status.set_seconds_since_episode(std::chrono::duration<double>(now - heard_).count());
  status.set_risk(skills::InWords(risk_report_));
  for (const std::string& mode : learner::DegradedModes(options_.learner)) status.add_degraded(mode);
  last_told_ = status.SerializeAsString();
  publisher_.Publish(last_told_);
  TellMetrics(agents);
  NotifyStatus(status.state());
  trouble_.clear();
}

void Service::TellMetrics(const std::vector<learner::AgentFacts>& agents) {
  bool keeps_diverging = false;
  for (const learner::AgentFacts& agent : agents) {
    monitoring::AgentFigures figures = FiguresOf(agent);
    figures.updates_since_promoted = static_cast<double>(UpdatesSincePromoted(agent));
    keeps_diverging = keeps_diverging || agent.keeps_diverging;
    figures_.SetAgent(figures);
  }
  risk_figures_.Set(FiguresOf(risk_report_));
  const auto steps = static_cast<double>(trainer_.steps() - steps_at_start_);
  std::vector<monitoring::TrainingFigures::Mode> degraded{{"learner_diverges", keeps_diverging}};
  for (const std::string& mode : learner::DegradedModes(options_.learner)) degraded.push_back({mode, true});
  const auto made = static_cast<double>(trainer_.updates() - updates_at_start_);
  figures_.SetTraining({.transitions_consumed = static_cast<double>(trainer_.steps()),
                        .update_ratio = steps > 0 ? made / steps : 0,
                        .update_ratio_target = options_.learner.update_ratio,
                        .seconds_since_episode = std::chrono::duration<double>(told_ - heard_).count(),
                        .degraded = std::move(degraded)});
}

core::Result<void> Service::Loop(const std::function<bool()>& must_end) {
  const MetricsSender sender(options_.endpoints.metrics, {"learner", [this] { return metrics_.Exposition(); }});
  NotifyReady();
  while (!must_end()) {
    const auto now = Clock::now();
    const std::int64_t read_to = trainer_.cursor();
    const bool refilling = read_to < refilled_to_;
    if (refilling || read_every_.Due(now))
      if (auto read = Read(); !read) return read;
    const int made = refilling ? 0 : Train(now + kTrainSlice) + TrainRisk(Clock::now() + kRiskSlice);
    if (!refilling) PublishWhatIsDue();  // Before, a half-made clone looks like one without demonstrations.
    if (!refilling) PublishRiskIfDue();
    SaveIfDue(now);
    if (status_every_.Due(now)) Tell();
    NotifyProgress();
    if (made == 0 && trainer_.cursor() == read_to) std::this_thread::sleep_for(kIdle);
  }
  NotifyStopping();
  return Save();
}

}  // namespace

core::Result<void> ServeLearner(const LearnerServiceOptions& options, const std::function<bool()>& must_end) {
  const auto lock = io::InstanceLock::Acquire(options.data_directory, "learner");
  if (!lock) return tl::make_unexpected(lock.error());
  auto publisher = io::Publisher::Bind(options.endpoints.learner_state);
  if (!publisher) return tl::make_unexpected(publisher.error());
  std::int64_t version_used = 0;
  if (const auto catalogue = io::JournalReader(options.data_directory).Load())
    for (const core::SnapshotRecord& snapshot : catalogue->snapshots)
      version_used = std::max(version_used, snapshot.version);
  auto snapshots = learner::SnapshotStore::Open(options.data_directory / "snapshots", version_used);
  if (!snapshots) return tl::make_unexpected(snapshots.error());
  Service service(options, std::move(*publisher), std::move(*snapshots));
  if (auto restored = service.Restore(); !restored) return restored;
  return service.Loop(must_end);
}

}  // namespace nightshift::runtime
