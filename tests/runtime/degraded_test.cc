// SPDX-License-Identifier: Apache-2.0
#include "runtime/degraded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/fakes/source_tree.h"

namespace nightshift::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(DegradedModes, AreNamedWhileTheyAreInForce) {
  DegradedModes modes;
  EXPECT_THAT(modes.Names(), ElementsAre());
  modes.Begin(DegradedMode::kAuditLosesRecords);
  modes.Begin(DegradedMode::kNoRealTimePriority);
  EXPECT_THAT(modes.Names(), ElementsAre("no_real_time_priority", "audit_loses_records"));
  modes.End(DegradedMode::kAuditLosesRecords);
  EXPECT_THAT(modes.Names(), ElementsAre("no_real_time_priority"));
}

TEST(DegradedModes, EachStandsInTheRunbook) {
  std::ifstream in(tests::SourceTree() + "/docs/runbook.md");
  const std::string runbook{std::istreambuf_iterator<char>(in), {}};
  for (const DegradedMode mode : kDegradedModes)
    EXPECT_THAT(runbook, HasSubstr("| `" + std::string(Name(mode)) + "` |"));
}

}  // namespace
}  // namespace nightshift::runtime
