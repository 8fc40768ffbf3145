// SPDX-License-Identifier: Apache-2.0
#include "skills/policy.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

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

/// nlohmann throws on what does not fit; the caller turns that into a fault.
Snapshot ReadHeader(const std::string& text) {
  const auto header = nlohmann::json::parse(text);
  return {.version = header.at("version").get<std::int64_t>(),
          .task = header.at("task").get<std::string>(),
          .updates = header.at("updates").get<std::int64_t>(),
          .weights = {}};
}

}  // namespace

core::Result<void> WriteSnapshot(const std::string& path, const Snapshot& snapshot) {
  if (auto good = CheckWeights(snapshot.weights); !good) return good;
  const nlohmann::json header{{"version", snapshot.version}, {"task", snapshot.task}, {"updates", snapshot.updates}};
  return WriteWeights(path, kFormat, {.header = header.dump(), .layers = snapshot.weights.layers});
}

core::Result<Snapshot> ReadSnapshot(const std::string& path) {
  auto file = ReadWeights(path, kFormat);
  if (!file) return tl::make_unexpected(file.error());
  const auto refuse = [&path](const std::string& why) {
    return core::Fail(core::FaultCode::kCorruptSnapshot, path + ": " + why);
  };
  Snapshot snapshot;
  try {
    snapshot = ReadHeader(file->header);
  } catch (const std::exception& error) {
    return refuse(std::string("unreadable header: ") + error.what());
  }
  snapshot.weights.layers = std::move(file->layers);
  if (auto good = CheckWeights(snapshot.weights); !good) return refuse(good.error().detail);
  return snapshot;
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
