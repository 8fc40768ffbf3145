// SPDX-License-Identifier: Apache-2.0
#include "monitoring/exposition.h"

#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <string>

namespace nightshift::monitoring {
namespace {

using core::Result;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// name{label="value",...} value
struct Sample {
  std::string name;
  std::vector<ClientMetric::Label> labels;
  double value = 0;
};

std::string_view TakeUntil(std::string_view& text, std::string_view stops) {
  const auto end = std::min(text.find_first_of(stops), text.size());
  const auto taken = text.substr(0, end);
  text.remove_prefix(end);
  return taken;
}

/// A quoted value with \\, \" and \n; the opening quote is taken already.
std::optional<std::string> TakeQuoted(std::string_view& text) {
  std::string value;
  while (!text.empty()) {
    const char next = text.front();
    text.remove_prefix(1);
    if (next == '"') return value;
    if (next != '\\') {
      value += next;
      continue;
    }
    if (text.empty()) return std::nullopt;
    value += text.front() == 'n' ? '\n' : text.front();
    text.remove_prefix(1);
  }
  return std::nullopt;
}

std::optional<std::vector<ClientMetric::Label>> TakeLabels(std::string_view& text) {
  std::vector<ClientMetric::Label> labels;
  while (!text.starts_with('}')) {
    const std::string name(TakeUntil(text, "=}"));
    if (name.empty() || !text.starts_with("=\"")) return std::nullopt;
    text.remove_prefix(2);
    auto value = TakeQuoted(text);
    if (!value) return std::nullopt;
    labels.push_back({name, std::move(*value)});
    if (text.starts_with(',')) text.remove_prefix(1);
  }
  text.remove_prefix(1);
  return labels;
}

std::optional<double> ParseNumber(std::string_view text) {
  if (text == "+Inf" || text == "Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  if (text == "NaN" || text == "Nan") return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr == text.data()) return std::nullopt;
  return value;
}

std::optional<Sample> ParseSample(std::string_view line) {
  Sample sample;
  sample.name = TakeUntil(line, "{ ");
  if (sample.name.empty()) return std::nullopt;
  if (line.starts_with('{')) {
    line.remove_prefix(1);
    auto labels = TakeLabels(line);
    if (!labels) return std::nullopt;
    sample.labels = std::move(*labels);
  }
  if (!line.starts_with(' ')) return std::nullopt;
  line.remove_prefix(1);
  const auto value = ParseNumber(TakeUntil(line, " "));
  if (!value) return std::nullopt;
  sample.value = *value;
  return sample;
}

std::optional<double> TakeBucketBound(std::vector<ClientMetric::Label>& labels) {
  for (auto label = labels.begin(); label != labels.end(); ++label) {
    if (label->name != "le") continue;
    const auto bound = ParseNumber(label->value);
    labels.erase(label);
    return bound;
  }
  return std::nullopt;
}

/// The parts of a histogram follow each other: count, sum and buckets with the same labels are one metric.
ClientMetric& MetricWith(MetricFamily& family, std::vector<ClientMetric::Label> labels) {
  if (!family.metric.empty() && family.metric.back().label == labels) return family.metric.back();
  family.metric.emplace_back().label = std::move(labels);
  return family.metric.back();
}

bool AddHistogramPart(MetricFamily& family, Sample sample) {
  const std::string_view part = std::string_view(sample.name).substr(family.name.size());
  if (part == "_bucket") {
    const auto bound = TakeBucketBound(sample.labels);
    if (!bound) return false;
    auto& histogram = MetricWith(family, std::move(sample.labels)).histogram;
    histogram.bucket.push_back({static_cast<std::uint64_t>(sample.value), *bound});
    return true;
  }
  auto& histogram = MetricWith(family, std::move(sample.labels)).histogram;
  if (part == "_sum") histogram.sample_sum = sample.value;
  if (part == "_count") histogram.sample_count = static_cast<std::uint64_t>(sample.value);
  return part == "_sum" || part == "_count";
}

bool AddSample(MetricFamily& family, Sample sample) {
  if (!sample.name.starts_with(family.name)) return false;
  if (family.type == MetricType::Histogram) return AddHistogramPart(family, std::move(sample));
  if (sample.name != family.name) return false;
  auto& metric = family.metric.emplace_back();
  metric.label = std::move(sample.labels);
  if (family.type == MetricType::Counter)
    metric.counter.value = sample.value;
  else
    metric.gauge.value = sample.value;
  return true;
}

std::optional<MetricType> TypeNamed(std::string_view name) {
  if (name == "counter") return MetricType::Counter;
  if (name == "gauge") return MetricType::Gauge;
  if (name == "histogram") return MetricType::Histogram;
  return std::nullopt;
}

/// "# HELP name text" begins a family, "# TYPE name type" says what it is.
bool AddComment(std::vector<MetricFamily>& families, std::string_view line) {
  line.remove_prefix(2);
  const auto word = TakeUntil(line, " ");
  if (word != "HELP" && word != "TYPE") return true;
  line.remove_prefix(std::min<std::size_t>(1, line.size()));
  const std::string name(TakeUntil(line, " "));
  line.remove_prefix(std::min<std::size_t>(1, line.size()));
  if (families.empty() || families.back().name != name) families.emplace_back().name = name;
  if (word == "HELP") {
    families.back().help = line;
    return true;
  }
  const auto type = TypeNamed(line);
  if (type) families.back().type = *type;
  return type.has_value();
}

}  // namespace

Result<std::vector<MetricFamily>> ParseExposition(std::string_view text) {
  std::vector<MetricFamily> families;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = TakeUntil(text, "\n");
    text.remove_prefix(std::min<std::size_t>(1, text.size()));
    bool understood = number <= kExpositionLinesMax;
    if (understood && line.starts_with("# ")) {
      understood = AddComment(families, line);
    } else if (understood && !line.empty()) {
      auto sample = ParseSample(line);
      understood = sample && !families.empty() && AddSample(families.back(), std::move(*sample));
    }
    if (!understood)
      return core::Fail(core::FaultCode::kMalformedMessage,
                        "exposition line " + std::to_string(number) + ": \"" + std::string(line.substr(0, 80)) +
                            "\" is not the Prometheus text format (at most " + std::to_string(kExpositionLinesMax) +
                            " lines); is the sender another version?");
  }
  return families;
}

std::vector<MetricFamily> Merge(const std::vector<std::vector<MetricFamily>>& parts) {
  std::map<std::string, MetricFamily> merged;
  for (const auto& part : parts) {
    for (const auto& family : part) {
      auto [place, first] = merged.try_emplace(family.name, family);
      if (first || place->second.type != family.type) continue;
      place->second.metric.insert(place->second.metric.end(), family.metric.begin(), family.metric.end());
    }
  }
  std::vector<MetricFamily> families;
  for (auto& [name, family] : merged) families.push_back(std::move(family));
  return families;
}

}  // namespace nightshift::monitoring
