// SPDX-License-Identifier: Apache-2.0
#include "learner/offline_config.h"

#include <sstream>

namespace nightshift::learner {

core::Result<void> Validate(const OfflineConfig& c) {
  struct Range {
    const char* key;
    double value, low, high;
  };
  const Range ranges[] = {
      {"learner.offline.cloning.updates", double(c.cloning.updates), 1, 1e7},
      {"learner.offline.cloning.learning_rate", c.cloning.learning_rate, 1e-7, 0.1},
      {"learner.offline.implicit_q.updates", double(c.implicit_q.updates), 1, 1e7},
      {"learner.offline.implicit_q.expectile", c.implicit_q.expectile, 0.5, 0.999},
      {"learner.offline.implicit_q.inverse_temperature", c.implicit_q.inverse_temperature, 0, 1e4},
      {"learner.offline.implicit_q.weight_max", c.implicit_q.weight_max, 1, 1e6},
      {"learner.offline.implicit_q.learning_rate", c.implicit_q.learning_rate, 1e-7, 0.1},
      {"learner.offline.implicit_q.log_std_min", c.implicit_q.log_std_min, -5, 1},
      {"learner.offline.conservative_q.updates", double(c.conservative_q.updates), 1, 1e7},
      {"learner.offline.conservative_q.penalty", c.conservative_q.penalty, 0, 1000},
      {"learner.offline.conservative_q.sampled_actions", double(c.conservative_q.sampled_actions), 1, 32},
      {"learner.offline.conservative_q.temperature", c.conservative_q.temperature, 0, 10},
      {"learner.offline.conservative_q.learning_rate", c.conservative_q.learning_rate, 1e-7, 0.1},
  };
  for (const Range& r : ranges) {
    if (r.value >= r.low && r.value <= r.high) continue;  // NaN is outside.
    std::ostringstream text;
    text << r.key << " = " << r.value << ": must be in [" << r.low << ", " << r.high << "]";
    return core::Fail(core::FaultCode::kInvalidConfig, text.str());
  }
  return {};
}

}  // namespace nightshift::learner
