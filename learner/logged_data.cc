// SPDX-License-Identifier: Apache-2.0
#include "learner/logged_data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <unordered_set>

namespace nightshift::learner {

namespace {

constexpr std::size_t kDistinctMin = 32;  // Fewer are learned by heart, and say nothing of states between them.
constexpr double kMagnitudeMax = 1e4;     // Features and actions are scaled to about 1.
constexpr double kWorthApartMin = 1e-4;   // Of values that span about 2: less is rounding.

std::uint64_t Mixed(std::uint64_t hash, std::span<const float> values) {
  for (const float value : values) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    hash = (hash ^ bits) * 0x100000001b3u;
  }
  return hash;
}

std::uint64_t HashOf(const SampleView& sample) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const auto part : {sample.before, sample.action, sample.after}) hash = Mixed(hash, part);
  return Mixed(hash, std::array{sample.reward, sample.discount});
}

double LargestOf(const SampleView& sample) {
  double largest = std::fabs(sample.reward);
  for (const auto part : {sample.before, sample.action, sample.after})
    for (const float value : part) largest = std::max(largest, std::fabs(double(value)));
  return largest;
}

core::Result<void> Refuse(const std::string& what) { return core::Fail(core::FaultCode::kRefused, what); }

template <typename... Parts>
std::string Text(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

}  // namespace

LoggedFacts FactsOf(const Replay& logged) {
  LoggedFacts facts;
  facts.samples = logged.size();
  facts.worth_min = std::numeric_limits<double>::infinity();
  facts.worth_max = -facts.worth_min;
  std::unordered_set<std::uint64_t> seen;
  for (std::size_t i = 0; i < logged.size(); ++i) {
    const SampleView sample = logged.At(i);
    seen.insert(HashOf(sample));
    facts.magnitude_max = std::max(facts.magnitude_max, LargestOf(sample));
    const double worth = sample.reward / std::max(1e-6, 1.0 - sample.discount);
    facts.worth_min = std::min(facts.worth_min, worth);
    facts.worth_max = std::max(facts.worth_max, worth);
  }
  facts.distinct = seen.size();
  return facts;
}

core::Result<void> CanBeImitated(const LoggedFacts& facts) {
  if (facts.samples == 0)
    return Refuse("there are no samples to learn from; log some episodes or demonstrations first");
  if (facts.distinct < kDistinctMin)
    return Refuse(Text("of ", facts.samples, " logged samples ", facts.distinct, " are distinct, at least ",
                       kDistinctMin, " must be: log more, or look for a sensor that stands still"));
  if (!(facts.magnitude_max <= kMagnitudeMax))
    return Refuse(Text("the logged data hold a number of size ", facts.magnitude_max, ", at most ", kMagnitudeMax,
                       " is believed: look for a wrong unit or a broken sensor"));
  return {};
}

core::Result<void> CanBeValued(const LoggedFacts& facts) {
  if (auto imitable = CanBeImitated(facts); !imitable) return imitable;
  if (!(facts.worth_max - facts.worth_min >= kWorthApartMin))
    return Refuse(Text("every logged sample is worth the same (", facts.worth_min,
                       " if it went on so for ever): nothing tells good from bad. Log successes too, or look at the "
                       "task's conditions"));
  return {};
}

}  // namespace nightshift::learner
