// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/fault.h"
#include "io/wire/nightshift.pb.h"
#include "runtime/cli/check.h"

namespace nightshift::runtime::cli {

/// What the journal shows of one task.
struct TaskSymptoms {
  std::string task;
  std::int64_t attempts = 0, solved = 0;
  // Of the latest learned attempts, in their steps:
  std::int64_t latest_steps = 0;
  std::int64_t gripper_turns = 0;    // Steps in which open turned to close or back.
  std::int64_t saturated_parts = 0;  // Parts of the proposed actions beyond 0.99, of core::kActionSize a step.
};

/// What the doctor goes by.
struct Symptoms {
  std::vector<TaskSymptoms> tasks;
  std::optional<wire::LearnerStatus> learner;  // What it said last; none: it never saved.
  enum class Source { kLive, kSaved };
  Source source = Source::kSaved;
};

/// From the journal, and what the learner last saved, in a data directory. Faults: those of JournalReader.
core::Result<Symptoms> SymptomsOf(const std::filesystem::path& data_directory);

/// Is learning well? Each finding in a plain sentence: the number, what is normal, what to do. Pure.
std::vector<Checked> Diagnose(const Symptoms& symptoms);

/// Of `nightshift doctor`: 0 nothing is out of the ordinary, 3 something deserves a look, 4 something must be seen to
/// (1 is a fault: it could not look).
int DoctorsExitCode(Finding worst);

}  // namespace nightshift::runtime::cli
