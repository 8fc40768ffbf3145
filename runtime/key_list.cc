// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <sstream>

#include "runtime/config_keys.h"

namespace nightshift::runtime {
namespace {

std::string Text(const Range& range) {
  std::ostringstream text;
  if (std::isinf(range.max))
    text << "at least " << range.min;
  else
    text << "in [" << range.min << ", " << range.max << "]";
  return text.str();
}

std::optional<double> NumberIn(const ConfigValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

bool Within(double value, const Range& range) { return value >= range.min && value <= range.max; }

Refused SetNumbers(const ConfigValue& value, std::span<double> into, const Range& range) {
  const std::string wanted = "must be " + std::to_string(into.size()) + " numbers, each " + Text(range);
  const auto* numbers = std::get_if<std::vector<double>>(&value);
  if (!numbers || numbers->size() != into.size()) return wanted;
  for (const double number : *numbers)
    if (!Within(number, range)) return wanted;
  std::copy(numbers->begin(), numbers->end(), into.begin());
  return std::nullopt;
}

/// Setter of a real number, stored by `store`.
template <typename Store>
auto RealSetter(Range range, Store store) {
  return [range, store](const ConfigValue& value) -> Refused {
    const auto number = NumberIn(value);
    if (!number || !Within(*number, range)) return "must be a number " + Text(range);
    store(*number);
    return std::nullopt;
  };
}

/// Setter of a whole number, stored by `store`.
template <typename Store>
auto WholeSetter(Range range, Store store) {
  return [range, store](const ConfigValue& value) -> Refused {
    const auto* whole = std::get_if<std::int64_t>(&value);
    if (!whole || !Within(static_cast<double>(*whole), range)) return "must be a whole number " + Text(range);
    store(*whole);
    return std::nullopt;
  };
}

}  // namespace

KeyList& KeyList::In(std::string section) {
  section_ = std::move(section);
  return *this;
}

void KeyList::Custom(const std::string& name, std::function<Refused(const ConfigValue&)> set) {
  keys_.push_back({PathOf(name), std::move(set)});
}

void KeyList::Number(const std::string& name, double& into, Range range) {
  Custom(name, RealSetter(range, [&into](double number) { into = number; }));
}

void KeyList::Number(const std::string& name, float& into, Range range) {
  Custom(name, RealSetter(range, [&into](double number) { into = static_cast<float>(number); }));
}

void KeyList::Number(const std::string& name, int& into, Range range) {
  Custom(name, WholeSetter(range, [&into](std::int64_t number) { into = static_cast<int>(number); }));
}

void KeyList::Number(const std::string& name, std::uint64_t& into, Range range) {
  Custom(name, WholeSetter(range, [&into](std::int64_t number) { into = static_cast<std::uint64_t>(number); }));
}

void KeyList::Time(const std::string& name, core::Duration& into, Range range_s) {
  Custom(name, RealSetter(range_s, [&into](double seconds) { into = core::Seconds(seconds); }));
}

void KeyList::Truth(const std::string& name, bool& into) {
  Custom(name, [&into](const ConfigValue& value) -> Refused {
    const auto* truth = std::get_if<bool>(&value);
    if (!truth) return "must be true or false";
    into = *truth;
    return std::nullopt;
  });
}

void KeyList::Text(const std::string& name, std::string& into) {
  Custom(name, [&into](const ConfigValue& value) -> Refused {
    const auto* text = std::get_if<std::string>(&value);
    if (!text) return "must be text in quotation marks";
    into = *text;
    return std::nullopt;
  });
}

void KeyList::Point(const std::string& name, core::Vec3& into, Range range) {
  Custom(name, [&into, range](const ConfigValue& value) -> Refused {
    std::array<double, 3> xyz{};
    if (auto refused = SetNumbers(value, xyz, range)) return refused;
    into = {xyz[0], xyz[1], xyz[2]};
    return std::nullopt;
  });
}

void KeyList::Numbers(const std::string& name, std::span<double> into, Range range) {
  Custom(name, [into, range](const ConfigValue& value) { return SetNumbers(value, into, range); });
}

}  // namespace nightshift::runtime
