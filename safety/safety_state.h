// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/budget.h"
#include "core/fault.h"
#include "core/observation.h"
#include "safety/checks/wear_budget.h"
#include "safety/config.h"
#include "safety/monitor.h"

namespace nightshift::safety {

/// What the drives' budgets have spent.
struct SpentBudgets {
  core::AxisArray heat{};
  WearDay wear;
};

/// What a later life of the safety process has to know of this one. Fixed size: handed over by the control thread.
struct SafetyState {
  RecentClears clears;
  SpentBudgets spent;
};

/// Which boot it is, and when; read at the rim.
struct Moment {
  std::string boot_id;  // Empty where it cannot be read: then nothing is known to be of the same boot.
  std::int64_t since_boot_ns = 0;
  std::int64_t utc_ns = 0;
};

/// A state as it lies on the disk.
struct StoredState {
  Moment at;
  SafetyState state;
};

/// How a life of the safety process begins.
struct Resumption {
  bool after_reboot = true;
  SafetyState state;
};

/// From what was stored, if anything can be believed. While the process ran, ages grew with robot time; from then to
/// now they grow by the time since boot, or, where it is another boot, by UTC. A clock that was set back makes nothing
/// older. Of what is not known, motors count as just cool enough to work, wear and clears as none, and the boot as
/// another. Pure.
Resumption Resume(const std::optional<StoredState>& stored, const Moment& now, const Limits& limits);

/// The file's text: one `key numbers...` per line, ages in nanoseconds, the newest hour of wear first, closed by a
/// BLAKE2b hash over all lines before it. Decode: kCorruptState, naming what is wrong.
std::string Encode(const StoredState& stored);
core::Result<StoredState> Decode(std::string_view text);

/// Of each budget of each axis, how much is used.
std::vector<core::BudgetUse> UsesOf(const SpentBudgets& spent, const Limits& limits);

}  // namespace nightshift::safety
