// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "core/catalogue.h"
#include "core/fault.h"
#include "io/link/link.h"
#include "learner/config.h"
#include "learner/trainer.h"
#include "skills/scene.h"

namespace nightshift::runtime {

struct LearnerServiceOptions {
  learner::Config learner;
  skills::Scene scene;
  learner::TaskSpecs tasks;              // As configured; recovery tasks come from the catalogue.
  std::filesystem::path data_directory;  // Absolute.
  io::Endpoints endpoints;
  std::string version;
};

/// What nightshift-learner does: reads closed episodes from the journal, trains, publishes snapshots below
/// `<data>/snapshots`, keeps its manifest in `<data>/learner`, and tells the service manager and everybody at
/// endpoints.learner_state how it is. Returns, with all saved, once `must_end` says so (asked about 50 times a second).
/// Killed at any moment it begins again from the last manifest; until the journal is read again it publishes nothing.
/// Faults: kAlreadyRunning, kCorruptState, kSchemaTooNew, kInvalidConfig, kIoFailed, kDiskFull (at the last save).
/// Thread: that of the caller.
core::Result<void> ServeLearner(const LearnerServiceOptions& options, const std::function<bool()>& must_end);

}  // namespace nightshift::runtime
