// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "core/fault.h"
#include "runtime/earl/life.h"

namespace nightshift::runtime::earl {

struct RunOptions {
  LifeOptions life;
  std::int64_t steps = 200000;
  std::int64_t evaluate_every = 10000;  // The benchmark's.
  std::int64_t tally_every = 5000;
  std::int64_t save_every = 10000;
  int episodes = 10;                // Of each deployed evaluation: the benchmark's number.
  std::string out;                  // Folder of results.jsonl and of the state that a later run goes on from.
  std::function<double()> seconds;  // Wall time, for the timing lines; since any moment.
  // Asked between attempts. A later run goes on from the state that was last saved.
  std::function<bool()> must_end = [] { return false; };
};

/// Practises, evaluates and tells: one JSON object a line in OUT/results.jsonl, of kinds run, practice, evaluation,
/// end, and timing, which alone differs between two runs of the same options. The state is saved in OUT/life every
/// `save_every` steps; a run that finds it goes on from there, bit by bit as if it had never ended, and drops lines
/// that were written after it. Events fall due at the end of the attempt that passes their step.
/// Faults: kInvalidConfig when the saved run had other options; those of Life, of files, and kCorruptState.
core::Result<void> RunEarl(const RunOptions& options);

}  // namespace nightshift::runtime::earl
