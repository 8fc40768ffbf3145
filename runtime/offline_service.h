// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>

#include "core/fault.h"
#include "runtime/learner_service.h"

namespace nightshift::runtime {

/// What `nightshift-learner --offline` does, before practice: reads all closed episodes of the journal, extracts a
/// policy for each task by `learner.offline.algorithm`, writes a snapshot of each below `<data>/snapshots` and the
/// manifest that practice goes on from in `<data>/learner`. What it did, and what it left and why, is told to `say`, a
/// line at a time. A task that says too little, or has been trained, is left as it is. Asked to end before it is done
/// (`must_end`, asked after each update) it says so and writes nothing.
/// Faults: kRefused (no task gave a policy), kAlreadyRunning, kCorruptState, kSchemaTooNew, kInvalidConfig, kNotFinite,
/// kIoFailed, kDiskFull. Thread: that of the caller.
core::Result<void> LearnOffline(const LearnerServiceOptions& options,
                                const std::function<void(const std::string&)>& say,
                                const std::function<bool()>& must_end);

}  // namespace nightshift::runtime
