// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/catalogue.h"

namespace nightshift::tests {

/// A journal in memory, with everything that was written to it in plain sight.
class MemoryJournal : public core::Journal {
 public:
  std::int64_t NextEpisodeId() override { return ++last_id; }
  core::Result<void> Begin(const core::Episode& episode) override {
    open.push_back(episode.id);
    return {};
  }
  core::Result<void> Append(std::int64_t, int, const core::Transition&) override {
    ++appended;
    return {};
  }
  core::Result<void> Close(const core::Episode& episode) override {
    std::erase(open, episode.id);
    if (on_close) on_close(episode);
    closed.push_back(episode);
    if (!keep_steps) closed.back().steps.clear();
    return {};
  }
  core::Result<core::Catalogue> Load() override { return catalogue; }
  core::Result<void> SaveTask(const core::TaskSpec& task) override {
    catalogue.recovery_tasks.push_back(task);
    return {};
  }
  core::Result<void> SaveCompetence(const core::Competence& competence, std::int64_t episode) override {
    competences[{competence.task, competence.skill}] = competence;
    catalogue.last_episode = episode;
    return {};
  }
  core::Result<void> RecordFailure(const core::FailureRecord& failure) override {
    failures.push_back(failure);
    return {};
  }
  core::Result<void> SaveIntervention(const core::InterventionRecord& intervention) override {
    interventions[intervention.id] = intervention;
    return {};
  }
  core::Result<void> SaveSnapshot(const core::SnapshotRecord& snapshot) override {
    snapshots.push_back(snapshot);
    return {};
  }
  core::Result<void> SavePractised(core::Duration practised) override {
    catalogue.practised = practised;
    return {};
  }

  core::Catalogue catalogue;
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
};

}  // namespace nightshift::tests
