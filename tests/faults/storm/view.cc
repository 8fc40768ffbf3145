// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/storm/view.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/wire/nightshift.pb.h"

namespace nightshift::storm {
namespace {

class StandInView final : public View {
 public:
  explicit StandInView(SharedNotes notes) : notes_(std::move(notes)) {}

  void Begin() override {
    begin_ = notes_->periods;
    restarts_cleared_ = notes_->restarts_cleared;
  }
  void Look() override {}
  std::optional<core::Instant> LastSent() const override { return core::FromNanoseconds(notes_->last_sent_ns); }

  std::optional<core::Instant> StillUntil(core::Instant since) const override {
    std::optional<core::Instant> first_sent;
    for (std::uint64_t i = Oldest(); i < notes_->periods; ++i) {
      if (Period(i).begun_ns <= core::ToNanoseconds(since)) continue;
      if (!first_sent) first_sent = core::FromNanoseconds(Period(i).begun_ns);
      if (Period(i).ended_ns != 0) return first_sent;
    }
    return std::nullopt;
  }

  bool CarriedAcross(core::Instant from, core::Instant to) const override {
    for (std::uint64_t i = Oldest(); i < notes_->periods; ++i)
      if (Period(i).begun_ns <= core::ToNanoseconds(from) && Period(i).ended_ns > core::ToNanoseconds(to)) return true;
    return false;
  }

  bool RestartCleared() const override { return notes_->restarts_cleared > restarts_cleared_; }

  std::string Complaint() const override {
    if (notes_->dead_clears_taken > 0) return "an acknowledgement of an earlier stop cleared a later one";
    if (notes_->dead_commands_in_force > 0) return "the safety process reported a dead command as in force";
    if (notes_->epochs_back > 0) return "an earlier epoch came back: what was sent in it lives again";
    return "";
  }

  std::string Figures() const override {
    return fmt::format(
        R"("periods_moved": {}, "dead_commands_sent": {}, "in_force": {}, "late_ticks": {}, "dead_clears_sent": {}, )"
        R"("taken": {}, "restarts_cleared": {})",
        notes_->periods.load(), notes_->dead_commands_sent.load(), notes_->dead_commands_in_force.load(),
        notes_->late_ticks.load(), notes_->dead_clears_sent.load(), notes_->dead_clears_taken.load(),
        notes_->restarts_cleared.load());
  }

 private:
  const Notes::Period& Period(std::uint64_t i) const { return notes_->period[i % Notes::kPeriods]; }
  std::uint64_t Oldest() const {
    const std::uint64_t periods = notes_->periods;
    return std::max(begin_, periods > Notes::kPeriods ? periods - Notes::kPeriods : 0);
  }

  SharedNotes notes_;
  std::uint64_t begin_ = 0, restarts_cleared_ = 0;
};

/// What the safety processes, one after the other, add to their audit.
class AuditTail {
 public:
  explicit AuditTail(std::string folder) : folder_(std::move(folder)) {}

  /// Whole lines since the last call.
  std::vector<nlohmann::json> New() {
    std::vector<nlohmann::json> records;
    std::error_code none_yet;
    std::string newest;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, none_yet))
      if (entry.path().extension() == ".jsonl") newest = std::max(newest, entry.path().string());
    if (newest.empty()) return records;
    if (newest != std::exchange(file_, newest)) read_ = 0;
    std::ifstream in(file_);
    in.seekg(read_);
    for (std::string line; std::getline(in, line) && !in.eof(); read_ = in.tellg())
      if (auto record = nlohmann::json::parse(line, nullptr, false); !record.is_discarded())
        records.push_back(std::move(record));  // A killed writer may leave half a line.
    return records;
  }

 private:
  std::string folder_, file_;
  std::streamoff read_ = 0;
};

class SupervisorView final : public View {
 public:
  static constexpr std::uint64_t kGoesOnSteps = 3;  // Transitions after which practice has gone on.
  // A stop that belongs to an event begins by then: a command's deadline, and one to spare. Of a supervisor that dies
  // while no command is in force nothing comes: the arm rests, and whoever comes next may move it.
  static constexpr core::Duration kBeginsWithin = std::chrono::milliseconds(600);

  SupervisorView(AuditTail audit, io::Subscriber supervisor)
      : audit_(std::move(audit)), supervisor_(std::move(supervisor)) {}

  void Begin() override {
    Look();
    stops_.clear();
    restart_seen_ = restart_cleared_ = false;
    steps_begin_ = steps_;
  }

  void Look() override {
    for (const nlohmann::json& record : audit_.New()) Hear(record);
    while (const auto bytes = supervisor_.Latest(io::Wait{0})) {
      wire::SupervisorStatus status;
      if (!status.ParseFromString(*bytes)) continue;
      const std::uint64_t told = status.transitions_this_session();
      steps_ += told >= told_ ? told - told_ : told;  // A new supervisor counts from 0.
      told_ = told;
    }
  }

  std::optional<core::Instant> LastSent() const override { return std::nullopt; }

  std::optional<core::Instant> StillUntil(core::Instant since) const override {
    if (steps_ < steps_begin_ + kGoesOnSteps || was_stopped_) return std::nullopt;
    const auto its = std::find_if(stops_.begin(), stops_.end(), [since](const Stop& stop) {
      return stop.end > since && stop.begin <= since + kBeginsWithin;
    });
    return its == stops_.end() ? since : its->end;
  }

  bool CarriedAcross(core::Instant, core::Instant) const override { return false; }  // Not told from outside.
  bool RestartCleared() const override { return restart_cleared_; }
  std::string Complaint() const override { return ""; }
  std::string Figures() const override { return fmt::format(R"("transitions": {})", steps_); }

 private:
  struct Stop {
    core::Instant begin, end;
  };

  /// A stop has a record at the end of the period in which it began, and the first tick after it has one.
  void Hear(const nlohmann::json& record) {
    const bool stopped = record.value("latch", 0) != 0;
    restart_cleared_ = restart_cleared_ || (restart_seen_ && !stopped);
    restart_seen_ = restart_seen_ || record.value("first", "") == "restarted";
    const core::Instant at = core::FromNanoseconds(record.value("robot_ns", 0LL));
    if (stopped && !was_stopped_) stop_began_ = at;
    if (!stopped && was_stopped_) stops_.push_back({stop_began_, at});
    was_stopped_ = stopped;
  }

  AuditTail audit_;
  io::Subscriber supervisor_;
  std::vector<Stop> stops_;  // Ended since the event began, as the audit has them.
  core::Instant stop_began_{};
  bool was_stopped_ = false, restart_seen_ = false, restart_cleared_ = false;
  std::uint64_t steps_ = 0, steps_begin_ = 0, told_ = 0;
};

}  // namespace

std::unique_ptr<View> ViewOfStandIn(SharedNotes notes) { return std::make_unique<StandInView>(std::move(notes)); }

core::Result<std::unique_ptr<View>> ViewOfSupervisor(const io::Endpoints& endpoints, const std::string& audit_folder) {
  auto supervisor = io::Subscriber::Connect(endpoints.supervisor_state);
  if (!supervisor) return tl::make_unexpected(supervisor.error());
  return std::make_unique<SupervisorView>(AuditTail(audit_folder), std::move(*supervisor));
}

}  // namespace nightshift::storm
