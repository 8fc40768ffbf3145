// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/duration_text.h"

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace nightshift::runtime::cli {
namespace {

struct Unit {
  std::string_view word;
  double seconds;
};
constexpr std::array<Unit, 5> kUnits{{{"ms", 1e-3}, {"h", 3600}, {"min", 60}, {"m", 60}, {"s", 1}}};
constexpr double kLongestS = 10.0 * 365 * 86400;

std::optional<double> UnitAt(std::string_view& rest) {
  for (const Unit& unit : kUnits) {
    if (rest.substr(0, unit.word.size()) != unit.word) continue;
    rest.remove_prefix(unit.word.size());
    return unit.seconds;
  }
  return std::nullopt;
}

}  // namespace

core::Result<core::Duration> ParseDuration(const std::string& text) {
  const auto wrong = [&text] {
    return core::Fail(
        core::FaultCode::kInvalidConfig,
        "\"" + text + "\" is not a duration: give a number and a unit above zero, as 2h, 90m, 1h30m, 45s or 500ms");
  };
  double total_s = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    double number = 0;
    const auto [end, trouble] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (trouble != std::errc() || !(number >= 0)) return wrong();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const auto unit = UnitAt(rest);
    if (!unit) return wrong();
    total_s += number * *unit;
  }
  if (!(total_s > 0 && total_s <= kLongestS)) return wrong();
  return core::Seconds(total_s);
}

std::string Text(core::Duration duration) {
  const auto seconds = static_cast<long>(core::ToSeconds(duration) + 0.5);
  if (seconds >= 3600) return fmt::format("{} h {:02} min", seconds / 3600, seconds / 60 % 60);
  if (seconds >= 60) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} s", seconds);
}

}  // namespace nightshift::runtime::cli
