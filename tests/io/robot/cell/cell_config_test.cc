// SPDX-License-Identifier: Apache-2.0
#include "io/robot/cell/cell_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "io/robot/cell/cell_fault.h"

namespace nightshift::io::cell {
namespace {

using core::FaultCode;
using testing::HasSubstr;

TEST(CellConfig, KnowsTheCleanAndTheFullMessAndTheyAreValid) {
  for (const char* name : {"clean", "full"}) {
    CellConfig config;
    config.mess = *MessNamed(name);
    EXPECT_TRUE(Validate(config)) << name;
  }
}

TEST(CellConfig, NamesTheKnownMessesWhenAskedForAnother) {
  const auto mess = MessNamed("chaos");
  ASSERT_FALSE(mess);
  EXPECT_EQ(mess.error().code, FaultCode::kInvalidConfig);
  EXPECT_THAT(mess.error().detail, testing::AllOf(HasSubstr("chaos"), HasSubstr("clean"), HasSubstr("full")));
}

TEST(CellConfig, RefusesWhatIsOutOfRangeWithKeyValueAndRange) {
  CellConfig config;
  config.drives.hold_torque_fraction = 9;
  const auto valid = Validate(config);
  ASSERT_FALSE(valid);
  EXPECT_EQ(valid.error().code, FaultCode::kInvalidConfig);
  EXPECT_THAT(valid.error().detail, testing::AllOf(HasSubstr("hold_torque_fraction = 9"), HasSubstr("[0, 1]")));
}

TEST(CellConfig, RefusesNotANumber) {
  CellConfig config;
  config.mess.glare_share = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(Validate(config));
}

TEST(CellConfig, RefusesAnEmptyFrictionRange) {
  CellConfig config;
  config.mess.friction_min = 1.0;
  config.mess.friction_max = 0.5;
  EXPECT_FALSE(Validate(config));
}

TEST(CellFault, HasANameForEachThatLeadsBackToIt) {
  for (int i = 0; i < kCellFaults; ++i) {
    const auto fault = static_cast<CellFault>(i);
    EXPECT_EQ(CellFaultNamed(Name(fault)), fault);
    EXPECT_THAT(std::string(CellFaultNames()), HasSubstr(std::string(Name(fault))));
  }
  EXPECT_EQ(CellFaultNamed("earthquake"), std::nullopt);
}

}  // namespace
}  // namespace nightshift::io::cell
