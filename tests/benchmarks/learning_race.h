// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <nlohmann/json.hpp>

namespace nightshift::tests {

/// Whether the hand-written learner learns what the one in LibTorch learns: a point that must reach another by steps,
/// rewarded only when it is there; the same seeds, worlds and first weights for LibTorch, fp32, and bf16 where there is
/// some. Reports one line per learner: the share of attempts solved after so many updates, as a mean over seeds.
void RaceToLearn(const std::function<void(const nlohmann::ordered_json&)>& report);

}  // namespace nightshift::tests
