// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/catalogue.h"

namespace nightshift::tests {

/// A journal in memory, with everything that was written to it in plain sight. A call that is named in `refuses`
/// ("Close", "SaveCompetence" ...) fails with that fault and writes nothing.
class MemoryJournal : public core::Journal {
 public:
  std::int64_t NextEpisodeId() override { return ++last_id; }
  core::Result<void> Begin(const core::Episode& episode) override {
    if (auto refused = Refused("Begin"); !refused) return refused;
    open.push_back(episode.id);
    order.push_back("begin " + episode.task);
    return {};
  }
  core::Result<void> Append(std::int64_t, int, const core::Transition&) override {
    if (auto refused = Refused("Append"); !refused) return refused;
    ++appended;
    return {};
  }
  core::Result<void> Close(const core::Episode& episode) override {
    if (auto refused = Refused("Close"); !refused) return refused;
    std::erase(open, episode.id);
    if (on_close) on_close(episode);
    closed.push_back(episode);
    if (!keep_steps) closed.back().steps.clear();
    return {};
  }
  core::Result<core::Catalogue> Load() override { return catalogue; }
  core::Result<void> SaveTask(const core::TaskSpec& task) override {
    if (auto refused = Refused("SaveTask"); !refused) return refused;
    catalogue.recovery_tasks.push_back(task);
    order.push_back("save task " + task.name);
    return {};
  }
  core::Result<void> SaveCompetence(const core::Competence& competence, std::int64_t episode) override {
    if (auto refused = Refused("SaveCompetence"); !refused) return refused;
    competences[{competence.task, competence.skill}] = competence;
    catalogue.last_episode = episode;
    return {};
  }
  core::Result<void> RecordFailure(const core::FailureRecord& failure) override {
    if (auto refused = Refused("RecordFailure"); !refused) return refused;
    failures.push_back(failure);
    return {};
  }
  core::Result<void> SaveIntervention(const core::InterventionRecord& intervention) override {
    if (auto refused = Refused("SaveIntervention"); !refused) return refused;
    interventions[intervention.id] = intervention;
    return {};
  }
  core::Result<void> SaveSnapshot(const core::SnapshotRecord& snapshot) override {
    if (auto refused = Refused("SaveSnapshot"); !refused) return refused;
    snapshots.push_back(snapshot);
    return {};
  }
  core::Result<void> SavePractised(core::Duration practised) override {
    catalogue.practised = practised;
    return {};
  }

  /// What a restarted supervisor would read.
  core::Catalogue AsRestarted() const {
    core::Catalogue all = catalogue;
    for (const auto& [key, competence] : competences) all.competence.push_back(competence);
    all.failures.insert(all.failures.end(), failures.begin(), failures.end());
    for (const auto& [id, intervention] : interventions) all.interventions.push_back(intervention);
    std::map<std::pair<std::string, std::int64_t>, core::SnapshotRecord> known;  // What is saved again is replaced.
    all.snapshots.insert(all.snapshots.end(), snapshots.begin(), snapshots.end());
    for (const core::SnapshotRecord& one : all.snapshots) known.insert_or_assign({one.task, one.version}, one);
    all.snapshots.clear();
    for (const auto& [key, one] : known) all.snapshots.push_back(one);
    return all;
  }

  core::Catalogue catalogue;
  std::map<std::string, core::Fault> refuses;  // By the name of the call.
  std::vector<std::string> order;              // Tasks saved and episodes begun, as they happened.
  std::vector<core::Episode> closed;
  std::vector<std::int64_t> open;
  std::vector<core::FailureRecord> failures;
  std::map<std::int64_t, core::InterventionRecord> interventions;
  std::vector<core::SnapshotRecord> snapshots;
  std::map<std::pair<std::string, core::SkillKind>, core::Competence> competences;
  std::function<void(const core::Episode&)> on_close;
  std::int64_t last_id = 0;
  std::int64_t appended = 0;
  bool keep_steps = false;

 private:
  core::Result<void> Refused(const std::string& call) const {
    const auto fault = refuses.find(call);
    if (fault == refuses.end()) return {};
    return tl::make_unexpected(fault->second);
  }
};

}  // namespace nightshift::tests
