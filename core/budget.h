// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string_view>

namespace nightshift::core {

/// What an axis spends by working and gets back by itself. A closed set: also a metric label.
enum class Budget {
  kCurrent,  // Current squared times time.
  kStarts,   // Of any 24 hours, as the two below.
  kTravel,
  kImpacts,
};
std::string_view Name(Budget budget);
inline constexpr std::array kBudgets{Budget::kCurrent, Budget::kStarts, Budget::kTravel, Budget::kImpacts};

/// How much of a budget an axis has used: 1 is all of it.
struct BudgetUse {
  Budget budget = Budget::kCurrent;
  int axis = 0;
  double share = 0;
};

}  // namespace nightshift::core
