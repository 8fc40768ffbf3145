// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

#include "core/fault.h"

/// For the .cc files of this folder; no public header includes this.
namespace nightshift::monitoring {

inline constexpr std::size_t kExpositionLinesMax = 20000;

/// Reads the text format 0.0.4 as our own processes write it: counters, gauges and histograms, each after its HELP and
/// TYPE. Faults: kMalformedMessage naming the line.
core::Result<std::vector<prometheus::MetricFamily>> ParseExposition(std::string_view text);

/// Puts the metrics of families with the same name and type together; a family whose type differs from the first of its
/// name is left out, since no reader could make sense of both.
std::vector<prometheus::MetricFamily> Merge(const std::vector<std::vector<prometheus::MetricFamily>>& parts);

}  // namespace nightshift::monitoring
