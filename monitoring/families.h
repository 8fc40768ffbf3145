// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

/// Shorthands for the .cc files of this folder; no public header includes this.
namespace nightshift::monitoring {

inline prometheus::Family<prometheus::Counter>& Counters(prometheus::Registry& registry, const std::string& name,
                                                         const std::string& help) {
  return prometheus::BuildCounter().Name("nightshift_" + name).Help(help).Register(registry);
}

inline prometheus::Family<prometheus::Gauge>& Gauges(prometheus::Registry& registry, const std::string& name,
                                                     const std::string& help) {
  return prometheus::BuildGauge().Name("nightshift_" + name).Help(help).Register(registry);
}

inline prometheus::Histogram& OneHistogram(prometheus::Registry& registry, const std::string& name,
                                           const std::string& help, const std::vector<double>& bounds) {
  return prometheus::BuildHistogram().Name("nightshift_" + name).Help(help).Register(registry).Add({}, bounds);
}

/// Follows a total that somebody else counts; one that fell (that process began anew) is left standing.
inline void SetTotal(prometheus::Counter& counter, double total) {
  if (const double more = total - counter.Value(); more > 0) counter.Increment(more);
}

}  // namespace nightshift::monitoring
