// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/duration_text.h"

#include <gtest/gtest.h>

namespace nightshift::runtime::cli {
namespace {

TEST(DurationText, UnderstandsHoursMinutesSecondsAndTheirSums) {
  EXPECT_EQ(ParseDuration("2h"), core::Seconds(7200));
  EXPECT_EQ(ParseDuration("90m"), core::Seconds(5400));
  EXPECT_EQ(ParseDuration("1h30min"), core::Seconds(5400));
  EXPECT_EQ(ParseDuration("1.5s"), core::Seconds(1.5));
  EXPECT_EQ(ParseDuration("500ms"), core::Seconds(0.5));
}

TEST(DurationText, RefusesWhatHasNoUnitOrIsNotAboveZero) {
  for (const char* text : {"", "2", "h", "0s", "-2h", "2 h", "2d", "nanh", "infh", "1e300h"})
    EXPECT_FALSE(ParseDuration(text)) << text;
  EXPECT_NE(ParseDuration("5x").error().detail.find("\"5x\" is not a duration"), std::string::npos);
}

TEST(DurationText, ShowsWhatAPersonWouldSay) {
  EXPECT_EQ(Text(core::Seconds(12.2)), "12 s");
  EXPECT_EQ(Text(core::Seconds(200)), "3 min 20 s");
  EXPECT_EQ(Text(core::Seconds(7500)), "2 h 05 min");
}

}  // namespace
}  // namespace nightshift::runtime::cli
