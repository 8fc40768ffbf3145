// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

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

}  // namespace
}  // namespace nightshift::safety
