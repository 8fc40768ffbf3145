// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>
#include <vector>

namespace nightshift::tests {

/// Processor time of this thread: other programs on the machine do not count.
inline double ThreadTimeUs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

/// What it takes to look at the clock twice, as a median.
inline double ClockCostUs() {
  std::vector<double> costs_us(20001);
  for (double& cost_us : costs_us) {
    const double begin_us = ThreadTimeUs();
    cost_us = ThreadTimeUs() - begin_us;
  }
  const auto middle = costs_us.begin() + static_cast<std::ptrdiff_t>(costs_us.size() / 2);
  std::nth_element(costs_us.begin(), middle, costs_us.end());
  return *middle;
}

/// Times of many runs of the same thing, without the clock's own cost. Allocates only when made.
class Stopwatch {
 public:
  explicit Stopwatch(std::size_t runs_max) : clock_us_(ClockCostUs()) { took_us_.reserve(runs_max); }

  /// The time of one run, which counts as one more.
  template <typename Run>
  double Time(const Run& run) {
    const double begin_us = ThreadTimeUs();
    run();
    Add(ThreadTimeUs() - begin_us - clock_us_);
    return took_us_.back();
  }
  void Add(double took_us) { took_us_.push_back(std::max(0.0, took_us)); }

  nlohmann::ordered_json Summary() const {
    std::vector<double> sorted = took_us_;
    std::sort(sorted.begin(), sorted.end());
    const double runs = static_cast<double>(sorted.size());
    const auto at = [&](double share) { return sorted[static_cast<std::size_t>(share * (runs - 1))]; };
    return {{"n", sorted.size()},      {"mean_us", std::accumulate(sorted.begin(), sorted.end(), 0.0) / runs},
            {"p50_us", at(0.5)},       {"p99_us", at(0.99)},
            {"p99_99_us", at(0.9999)}, {"max_us", sorted.back()}};
  }

 private:
  double clock_us_;
  std::vector<double> took_us_;
};

}  // namespace nightshift::tests
