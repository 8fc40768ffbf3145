// SPDX-License-Identifier: Apache-2.0
#include "skills/policy.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include "skills/weights_file.h"

namespace nightshift::skills {

namespace {

constexpr WeightsFormat kFormat{.magic = "NSPOLICY", .schema = 1, .thing = "policy snapshot"};

core::Result<void> CheckWeights(const PolicyWeights& weights) {
  return CheckNetwork(weights.layers, {.name = "policy weights",
                                       .inputs = kFeatureSize,
                                       .outputs = 2 * core::kActionSize,
                                       .outputs_mean = "mean and log deviation of each action"});
}

using nlohmann::json;

/// nlohmann throws on what does not fit; the caller turns that into a fault.
HeldOutValue ReadHeldOut(const json& header) {
  return {.episodes = header.at("episodes").get<std::int64_t>(),
          .steps = header.at("steps").get<std::int64_t>(),
          .error_rms = header.at("error_rms").get<double>(),
          .bias = header.at("bias").get<double>(),
          .value_range = header.at("value_range").get<double>()};
}

json HeaderOf(const HeldOutValue& v) {
  return {{"episodes", v.episodes},
          {"steps", v.steps},
          {"error_rms", v.error_rms},
          {"bias", v.bias},
          {"value_range", v.value_range}};
}

Snapshot ReadHeader(const json& header) {
  Snapshot snapshot;
  snapshot.version = header.at("version").get<std::int64_t>();
  snapshot.task = header.at("task").get<std::string>();
  snapshot.updates = header.at("updates").get<std::int64_t>();
  if (header.contains("held_out")) snapshot.held_out = ReadHeldOut(header.at("held_out"));
  return snapshot;
}

constexpr std::string_view kSuffix = ".nspolicy";

constexpr int kProbes = 4;
constexpr float kProbeTolerance = 1e-4f;

/// Spread over [-1, 1] by the golden ratio: no two features are alike, and no generator must stay as it is.
Features ProbeFeatures(int probe) {
  Features features;
  for (std::size_t i = 0; i < features.size(); ++i) {
    const double turn =
        0.6180339887498949 * static_cast<double>(1 + i + features.size() * static_cast<std::size_t>(probe));
    features[i] = static_cast<float>(2 * (turn - std::floor(turn)) - 1);
  }
  return features;
}

}  // namespace

std::string FileNameOf(const SnapshotName& name) {
  return name.task + "-" + std::to_string(name.version) + std::string(kSuffix);
}

std::optional<SnapshotName> SnapshotNameIn(std::string_view file_name) {
  if (!file_name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view stem = file_name.substr(0, file_name.size() - kSuffix.size());
  const std::size_t dash = stem.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  SnapshotName name{.task = std::string(stem.substr(0, dash))};
  const char* end = stem.data() + stem.size();
  const auto [stop, error] = std::from_chars(stem.data() + dash + 1, end, name.version);
  if (error != std::errc() || stop != end) return std::nullopt;
  return name;
}

core::Result<void> WriteSnapshot(const std::string& path, const Snapshot& snapshot) {
  auto policy = LearnedPolicy::Make(snapshot.weights);
  if (!policy) return tl::make_unexpected(policy.error());
  const Probe probe = ProbeOf(*policy);
  if (const auto trouble = ProbeTrouble(probe, probe))  // NaN differs from itself.
    return core::Fail(core::FaultCode::kCorruptSnapshot, path + " is not written: its actions are not finite");
  json header{{"version", snapshot.version}, {"task", snapshot.task}, {"updates", snapshot.updates}, {"probe", probe}};
  if (snapshot.held_out) header["held_out"] = HeaderOf(*snapshot.held_out);
  return WriteWeights(path, kFormat, {.header = header.dump(), .layers = snapshot.weights.layers});
}

core::Result<Snapshot> ReadSnapshot(const std::string& path) {
  auto file = ReadWeights(path, kFormat);
  if (!file) return tl::make_unexpected(file.error());
  const auto refuse = [&path](const std::string& why) {
    return core::Fail(core::FaultCode::kCorruptSnapshot, path + ": " + why);
  };
  Snapshot snapshot;
  std::optional<Probe> probe;
  try {
    const json header = json::parse(file->header);
    snapshot = ReadHeader(header);
    if (header.contains("probe")) probe = header.at("probe").get<Probe>();
  } catch (const std::exception& error) {
    return refuse(std::string("unreadable header: ") + error.what());
  }
  snapshot.weights.layers = std::move(file->layers);
  auto policy = LearnedPolicy::Make(snapshot.weights);
  if (!policy) return refuse(policy.error().detail);
  if (probe)
    if (const auto trouble = ProbeTrouble(*probe, ProbeOf(*policy))) return refuse(*trouble);
  return snapshot;
}

Probe ProbeOf(LearnedPolicy& policy) {
  Probe probe;
  for (int i = 0; i < kProbes; ++i)
    for (const float part : policy.Mean(ProbeFeatures(i))) probe.push_back(part);
  return probe;
}

std::optional<std::string> ProbeTrouble(const Probe& saved, const Probe& loaded) {
  if (saved.size() != loaded.size())
    return "its probe has " + std::to_string(saved.size()) + " numbers, this program's has " +
           std::to_string(loaded.size()) + "; it is of a Nightshift whose policies see or do something else";
  for (std::size_t i = 0; i < saved.size(); ++i)
    if (!(std::abs(saved[i] - loaded[i]) <= kProbeTolerance))  // NaN is a difference, too.
      return "acts otherwise than when it was saved: on a fixed observation action " +
             std::to_string(i % core::kActionSize) + " was " + std::to_string(saved[i]) + " and is " +
             std::to_string(loaded[i]);
  return std::nullopt;
}

core::Result<LearnedPolicy> LearnedPolicy::Make(PolicyWeights weights) {
  if (auto good = CheckWeights(weights); !good) return tl::make_unexpected(good.error());
  return LearnedPolicy(DenseNetwork(std::move(weights.layers)));
}

core::PolicyAction LearnedPolicy::Mean(const Features& features) {
  const auto out = network_.Forward(features);
  core::PolicyAction action;
  for (std::size_t i = 0; i < action.size(); ++i) action[i] = std::tanh(out[i]);
  return action;
}

core::PolicyAction LearnedPolicy::Sample(const Features& features, core::Random& random) {
  const auto out = network_.Forward(features);
  core::PolicyAction action;
  for (std::size_t i = 0; i < action.size(); ++i) {
    const float log_std = std::clamp(out[core::kActionSize + i], kLogStdMin, kLogStdMax);
    const float noise = static_cast<float>(random.Normal(0, 1));
    action[i] = std::tanh(out[i] + std::exp(log_std) * noise);
  }
  return action;
}

}  // namespace nightshift::skills
