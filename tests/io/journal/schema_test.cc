// SPDX-License-Identifier: Apache-2.0
#include "io/journal/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "tests/io/journal/journal_fixture.h"

namespace nightshift::io {
namespace {

using core::FaultCode;
using testing::HasSubstr;

constexpr std::array kToThree = {Migration{1, "ALTER TABLE episode ADD COLUMN operator TEXT NOT NULL DEFAULT 'nobody'"},
                                 Migration{2, "CREATE TABLE added(x INTEGER)"}};

class SchemaTest : public JournalFixture {
 protected:
  void WriteOneDay() {
    Open();
    Practise("pick", core::Outcome::kSuccess, 2);
    journal_.reset();
  }
  std::filesystem::path day() const { return data_ / "journal" / "journal-0000.sqlite"; }
};

TEST_F(SchemaTest, AnUpgradeBringsAnOlderFileUpStepByStepWithAllItsRows) {
  WriteOneDay();
  ASSERT_TRUE(Upgrade(day(), 3, kToThree));
  EXPECT_EQ(Number("journal-0000.sqlite", "PRAGMA user_version"), 3);
  EXPECT_EQ(Number("journal-0000.sqlite", "SELECT count(*) FROM episode WHERE operator = 'nobody'"), 1);
  EXPECT_EQ(Number("journal-0000.sqlite", "SELECT count(*) FROM transition"), 2);
  EXPECT_EQ(Number("journal-0000.sqlite", "SELECT count(*) FROM added"), 0);
}

TEST_F(SchemaTest, AnUpgradeThatFailsHalfWayLeavesTheFileAsItWas) {
  WriteOneDay();
  const std::array broken = {kToThree[0], Migration{2, "CREATE TABLE task(x)"}};
  EXPECT_FALSE(Upgrade(day(), 3, broken));
  EXPECT_EQ(Number("journal-0000.sqlite", "PRAGMA user_version"), 1);
  EXPECT_EQ(Read().size(), 1u);
  const auto no_way = Upgrade(day(), 3, std::span(kToThree).first(1));
  ASSERT_FALSE(no_way);
  EXPECT_EQ(no_way.error().code, FaultCode::kCorruptState);
  EXPECT_THAT(no_way.error().detail, HasSubstr("schema 2 to 3"));
  EXPECT_EQ(Read().size(), 1u);
}

TEST_F(SchemaTest, AFileOfThisVersionIsLeftAlone) {
  WriteOneDay();
  const auto before = std::filesystem::last_write_time(day());
  ASSERT_TRUE(Upgrade(day()));
  EXPECT_EQ(std::filesystem::last_write_time(day()), before);
}

TEST_F(SchemaTest, ADatabaseOfSomebodyElseIsRefused) {
  WriteOneDay();
  Execute("journal-0000.sqlite", "PRAGMA application_id=7");
  const auto refused = OpenForReading(day());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, FaultCode::kCorruptState);
  EXPECT_EQ(Upgrade(day()).error().code, FaultCode::kCorruptState);
}

TEST_F(SchemaTest, AFileIsNotThereBeforeItIsWhole) {
  Open();
  journal_.reset();
  std::filesystem::create_directory(data_ / "journal" / "journal-0007.sqlite.new");
  std::filesystem::create_directory(data_ / "journal" / "journal-0007.sqlite.new" / "in the way");
  EXPECT_FALSE(CreateFile(data_ / "journal" / "journal-0007.sqlite", FileKind::kDay, ""));
  EXPECT_FALSE(std::filesystem::exists(data_ / "journal" / "journal-0007.sqlite"));
}

}  // namespace
}  // namespace nightshift::io
