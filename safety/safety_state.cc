// SPDX-License-Identifier: Apache-2.0
#include "safety/safety_state.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

#include "safety/checks/heat_budget.h"

namespace nightshift::safety {
namespace {

using core::Fail;
using core::FaultCode;
using core::Result;

constexpr std::string_view kFirstLine = "nightshift-safety-state 1\n";
constexpr std::string_view kHashKey = "hash ";
constexpr std::size_t kHashBytes = 16;
constexpr std::size_t kBootIdMax = 64;
constexpr std::chrono::hours kHour{1};

core::Duration Elapsed(const Moment& from, const Moment& to) {
  const bool same_boot = !to.boot_id.empty() && from.boot_id == to.boot_id;
  const std::int64_t ns = same_boot ? to.since_boot_ns - from.since_boot_ns : to.utc_ns - from.utc_ns;
  return core::Duration(std::max<std::int64_t>(0, ns));
}

RecentClears Older(const RecentClears& clears, core::Duration time) {
  RecentClears older;
  for (std::size_t i = 0; i < clears.count; ++i)
    if (clears.ago[i] + time <= kHour) older.Add(clears.ago[i] + time);
  return older;
}

SafetyState Unknown(const Limits& limits) {
  SafetyState state;
  state.spent.heat.fill(limits.current_clear_share);
  return state;
}

std::string HashOf(std::string_view text) {
  std::array<unsigned char, kHashBytes> hash;
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                     nullptr, 0);
  std::array<char, 2 * kHashBytes + 1> hexadecimal;
  return sodium_bin2hex(hexadecimal.data(), hexadecimal.size(), hash.data(), hash.size());
}

void Write(std::ostream& out, const char* key, const core::AxisArray& values) {
  out << key;
  for (const double value : values) out << ' ' << value;
  out << '\n';
}

/// Reads `key number...` lines in their order; the first that is not as it must be is kept.
class Lines {
 public:
  explicit Lines(std::string_view text) : in_(std::string(text)) {}

  std::istringstream& Line(const std::string& key) {
    std::string line, found;
    std::getline(in_, line);
    line_.clear();
    line_.str(line);
    line_ >> found;
    if (found != key) Refuse(key);
    key_ = key;
    return line_;
  }
  template <typename Number>
  Number Next(Number lowest, Number highest) {
    Number value{};
    line_ >> value;
    if (!line_ || !(value >= lowest && value <= highest)) Refuse(key_);
    return value;
  }
  void Into(const std::string& key, core::AxisArray& values) {
    Line(key);
    for (double& value : values) value = Next(0.0, kNumberMax);
  }
  void Refuse(const std::string& key) {
    if (wrong_.empty()) wrong_ = key;
  }
  const std::string& wrong() const { return wrong_; }

  static constexpr double kNumberMax = 1e12;

 private:
  std::istringstream in_, line_;
  std::string key_, wrong_;
};

tl::unexpected<core::Fault> Corrupt(const std::string& what) { return Fail(FaultCode::kCorruptState, what); }

/// The text without its last line, if that is the hash of the rest.
Result<std::string_view> Checked(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return Corrupt("it does not begin as a state of this version does");
  const auto hash_at = text.rfind(kHashKey);
  if (hash_at == std::string_view::npos) return Corrupt("it has no hash: it is cut off");
  const std::string_view content = text.substr(0, hash_at);
  if (text.substr(hash_at) != std::string(kHashKey) + HashOf(content) + "\n")
    return Corrupt("its hash does not fit its content");
  return content.substr(kFirstLine.size());
}

}  // namespace

Resumption Resume(const std::optional<StoredState>& stored, const Moment& now, const Limits& limits) {
  if (!stored) return {.after_reboot = true, .state = Unknown(limits)};
  const core::Duration elapsed = Elapsed(stored->at, now);
  Resumption resumed{.after_reboot = now.boot_id.empty() || stored->at.boot_id != now.boot_id, .state = stored->state};
  resumed.state.clears = Older(stored->state.clears, elapsed);
  resumed.state.spent.heat = Cooled(stored->state.spent.heat, limits, elapsed);
  resumed.state.spent.wear.Advance(elapsed);
  return resumed;
}

std::string Encode(const StoredState& stored) {
  std::ostringstream out;
  out.precision(17);
  out << kFirstLine << "boot " << (stored.at.boot_id.empty() ? "-" : stored.at.boot_id) << "\nsince_boot_ns "
      << stored.at.since_boot_ns << "\nutc_ns " << stored.at.utc_ns << "\nclears_ago_ns " << stored.state.clears.count;
  for (std::size_t i = 0; i < stored.state.clears.count; ++i) out << ' ' << stored.state.clears.ago[i].count();
  out << '\n';
  Write(out, "heat", stored.state.spent.heat);
  out << "into_hour_ns " << stored.state.spent.wear.into_hour.count() << '\n';
  for (const WearHour& hour : stored.state.spent.wear.hours) {
    Write(out, "starts", hour.starts);
    Write(out, "travel_rad", hour.travel_rad);
    Write(out, "impacts", hour.impacts);
  }
  const std::string content = out.str();
  return content + std::string(kHashKey) + HashOf(content) + "\n";
}

Result<StoredState> Decode(std::string_view text) {
  const auto content = Checked(text);
  if (!content) return tl::make_unexpected(content.error());
  constexpr std::int64_t kLongNs = std::int64_t{1} << 62;
  StoredState stored;
  Lines lines(*content);
  lines.Line("boot") >> stored.at.boot_id;
  if (stored.at.boot_id == "-") stored.at.boot_id.clear();
  if (stored.at.boot_id.size() > kBootIdMax) lines.Refuse("boot");
  lines.Line("since_boot_ns");
  stored.at.since_boot_ns = lines.Next<std::int64_t>(0, kLongNs);
  lines.Line("utc_ns");
  stored.at.utc_ns = lines.Next<std::int64_t>(0, kLongNs);
  lines.Line("clears_ago_ns");
  const auto clears = lines.Next<std::size_t>(0, kClearsPerHourMax);
  constexpr std::int64_t kHourNs = core::Duration(kHour).count();
  for (std::size_t i = 0; i < clears && lines.wrong().empty(); ++i)
    stored.state.clears.Add(core::Duration(lines.Next<std::int64_t>(0, kHourNs)));
  lines.Into("heat", stored.state.spent.heat);
  lines.Line("into_hour_ns");
  stored.state.spent.wear.into_hour = core::Duration(lines.Next<std::int64_t>(0, kHourNs - 1));
  for (WearHour& hour : stored.state.spent.wear.hours) {
    lines.Into("starts", hour.starts);
    lines.Into("travel_rad", hour.travel_rad);
    lines.Into("impacts", hour.impacts);
  }
  if (!lines.wrong().empty()) return Corrupt("its line \"" + lines.wrong() + "\" is not as it must be");
  return stored;
}

std::vector<core::BudgetUse> UsesOf(const SpentBudgets& spent, const Limits& limits) {
  std::vector<core::BudgetUse> uses;
  const WearHour sum = spent.wear.Sum();
  for (int axis = 0; axis < limits.axes; ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    uses.push_back({core::Budget::kCurrent, axis, spent.heat[at]});
    for (const WearKind& kind : kWearKinds)
      uses.push_back({kind.budget, axis, (sum.*kind.worn)[at] / (limits.*kind.allowed_per_day)[at]});
  }
  return uses;
}

}  // namespace nightshift::safety
