// SPDX-License-Identifier: Apache-2.0
// As config_keys.cc: the keys of what is learned before practice.
#include "runtime/config_keys.h"

namespace nightshift::runtime {
namespace {

constexpr double kMany = 1e7;
constexpr Range kLearningRate{1e-7, 0.1};

}  // namespace

void OfflineKeys(learner::OfflineConfig& c, KeyList& keys) {
  keys.In("learner.offline");
  keys.Choice("algorithm", c.algorithm,
              {{"cloning", learner::OfflineAlgorithm::kCloning},
               {"implicit_q", learner::OfflineAlgorithm::kImplicitQ},
               {"conservative_q", learner::OfflineAlgorithm::kConservativeQ}});
  keys.In("learner.offline.cloning");
  keys.Number("updates", c.cloning.updates, {1, kMany});
  keys.Number("learning_rate", c.cloning.learning_rate, kLearningRate);
  keys.In("learner.offline.implicit_q");
  keys.Number("updates", c.implicit_q.updates, {1, kMany});
  keys.Number("expectile", c.implicit_q.expectile, {0.5, 0.999});
  keys.Number("inverse_temperature", c.implicit_q.inverse_temperature, {0, 1e4});
  keys.Number("weight_max", c.implicit_q.weight_max, {1, 1e6});
  keys.Number("learning_rate", c.implicit_q.learning_rate, kLearningRate);
  keys.Number("log_std_min", c.implicit_q.log_std_min, {-5, 1});
  keys.In("learner.offline.conservative_q");
  keys.Number("updates", c.conservative_q.updates, {1, kMany});
  keys.Number("penalty", c.conservative_q.penalty, {0, 1000});
  keys.Number("sampled_actions", c.conservative_q.sampled_actions, {1, 32});
  keys.Number("temperature", c.conservative_q.temperature, {0, 10});
  keys.Number("learning_rate", c.conservative_q.learning_rate, kLearningRate);
  keys.Choice("calibration", c.conservative_q.calibration,
              {{"off", learner::Calibration::kOff}, {"behaviour", learner::Calibration::kBehaviour}});
}

}  // namespace nightshift::runtime
