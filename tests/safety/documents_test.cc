// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "safety/checks/separation.h"
#include "safety/monitor.h"
#include "tests/fakes/source_tree.h"

namespace nightshift::safety {
namespace {

std::string Document(const std::string& name) {
  std::ifstream file(tests::SourceTree() + "/docs/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Cleared(ClearedBy by) {
  switch (by) {
    case ClearedBy::kItself: return "itself";
    case ClearedBy::kSupervisor: return "supervisor";
    case ClearedBy::kPerson: return "person";
  }
  return "?";
}

TEST(SafetyDocument, SaysOfEachCauseItsCategoryAndWhoClearsIt) {
  const std::string text = Document("safety.md");
  for (const auto cause : core::kStopCauses) {
    const std::string category = CategoryOf(cause) == StopCategory::kStopAndHold ? "2" : "1";
    const std::string row =
        "| `" + std::string(Name(cause)) + "` | " + category + " | " + Cleared(ClearedByOf(cause)) + " |";
    EXPECT_THAT(text, testing::HasSubstr(row));
  }
}

/// At which a share is granted to an arm at rest, and kept by one that is as fast as it may be.
std::string Distances(double share, double intrusion_m) {
  Limits limits;
  limits.presence.intrusion_m = intrusion_m;
  const Separation separation(limits);
  const auto kept_m = [&](double s) {
    return separation.NeededM(s) + separation.UnseenM(s * separation.full_speed_m_s());
  };
  const double granted_m =
      std::max(kept_m(limits.presence.speed_scale_min), separation.NeededM(share) + separation.UnseenM(0));
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.2f m, %.2f m", granted_m, kept_m(share));
  return text.data();
}

TEST(SafetyDocument, SaysHowNearAPersonLeavesTheArmHowMuchOfItsSpeed) {
  const std::string text = Document("safety.md");
  for (const double share : {0.1, 0.25, 0.5, 0.75, 1.0})
    EXPECT_THAT(text, testing::HasSubstr("| " + Distances(share, 0.85) + " | " + Distances(share, 0) + " |"));
}

}  // namespace
}  // namespace nightshift::safety
