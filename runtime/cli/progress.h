// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/time.h"
#include "runtime/cli/ears.h"

namespace nightshift::runtime::cli {

/// How far a run has come, for the time left.
struct RunProgress {
  std::optional<core::Duration> robot_time;  // To be practised in this run; none: until Ctrl-C.
  core::Duration practised{0};               // Of it, so far.
  std::chrono::seconds wall{0};              // Since the run began.
  int restarts = 0;                          // Of processes that died.
};

/// What is going on, as lines for a terminal that redraws them. Pure.
std::vector<std::string> StatusBlock(const Heard& heard, const RunProgress& progress);

/// The same in one line, for logs. Pure.
std::string StatusLine(const Heard& heard, const RunProgress& progress);

/// Wall time until the robot time is over, from the pace so far; none while it cannot be known.
std::optional<core::Duration> TimeLeft(const RunProgress& progress);

/// Shows progress on standard output: one block redrawn in place on a terminal, otherwise a line every few seconds.
class ProgressScreen {
 public:
  enum class Kind { kTerminal, kLines };
  explicit ProgressScreen(Kind kind) : kind_(kind) {}

  void Show(const Heard& heard, const RunProgress& progress);

 private:
  Kind kind_;
  std::size_t drawn_ = 0;  // Lines on the terminal that the next block replaces.
  std::chrono::steady_clock::time_point next_line_;
};

/// kTerminal when standard output is one.
ProgressScreen::Kind ScreenKind();

}  // namespace nightshift::runtime::cli
