// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "tests/fakes/source_tree.h"

namespace nightshift::runtime::cli {
namespace {

using testing::HasSubstr;

const std::string kConfig = tests::SourceTree() + "/configs/tabletop.toml";

Checked Find(const std::vector<Checked>& all, const std::string& what) {
  const auto at = std::find_if(all.begin(), all.end(), [&what](const Checked& one) { return one.what == what; });
  return at == all.end() ? Checked{Finding::kBad, what, "was not looked at"} : *at;
}

TEST(CheckAll, FindsTheConfigurationOfTheTreeGood) {
  const auto all = CheckAll(kConfig, testing::TempDir() + "ns-check");
  for (const char* what : {"configuration", "perception", "contact", "processor", "linear algebra", "rendering",
                           "clock", "data directory", "sockets"})
    EXPECT_EQ(Find(all, what).finding, Finding::kGood) << what << ": " << Find(all, what).detail;
}

/// What is said of persons when this section is added to a configuration.
Checked OfPresence(const std::string& section) {
  const std::string file = testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".toml";
  std::ifstream tree(kConfig);
  std::ofstream(file) << tree.rdbuf() << section;
  std::error_code ignored;  // There from the test before.
  std::filesystem::create_directory_symlink(tests::SourceTree() + "/configs/cell", testing::TempDir() + "cell",
                                            ignored);
  return Find(CheckAll(file, ""), "presence");
}

TEST(CheckAll, WarnsThatNobodyIsSeenWithoutAPresenceSensor) {
  const auto presence = OfPresence("");
  EXPECT_EQ(presence.finding, Finding::kWarning);
  EXPECT_THAT(presence.detail, HasSubstr("no presence sensor: nobody is seen"));
}

TEST(CheckAll, SaysAtWhichDistancesTheArmStopsAndHasItsWholeSpeed) {
  const auto presence = OfPresence("[safety.presence]\nsource = \"topic\"\n");
  EXPECT_EQ(presence.finding, Finding::kGood);
  EXPECT_THAT(presence.detail, HasSubstr("stops for a person at 1.62 m and can keep its whole speed from 3.35 m"));
}

TEST(CheckAll, NamesASwitchThatCannotBeRead) {
  const auto presence = OfPresence("[safety.presence]\nsource = \"gpio\"\nvalue_file = \"/nowhere/value\"\n");
  EXPECT_EQ(presence.finding, Finding::kBad);
  EXPECT_THAT(presence.detail, HasSubstr("/nowhere/value: No such file"));
}

TEST(CheckAll, FindsASwitchThatCanBeRead) {
  const std::string value = testing::TempDir() + "ns-value";
  std::ofstream(value) << "1\n";
  const auto presence = OfPresence("[safety.presence]\nsource = \"gpio\"\nvalue_file = \"" + value + "\"\n");
  EXPECT_EQ(presence.finding, Finding::kGood);
  EXPECT_THAT(presence.detail, HasSubstr(value));
}

TEST(CheckAll, WarnsOfAProcessorThatTheMachineDoesNotHave) {
  const std::string file = testing::TempDir() + "ns-check-cpu.toml";
  std::ifstream in(kConfig);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::string model = "model_file = \"";
  text.insert(text.find(model) + model.size(), tests::SourceTree() + "/configs/");
  const std::string section = "[safety]\n";
  text.insert(text.find(section) + section.size(), "cpu = 1023\n");
  std::ofstream(file) << text;
  const auto processor = Find(CheckAll(file, ""), "processor");
  EXPECT_EQ(processor.finding, Finding::kWarning);
  EXPECT_THAT(processor.detail, HasSubstr("safety.cpu = 1023"));
}

TEST(CheckAll, NamesAConfigurationThatIsNotThere) {
  const auto all = CheckAll("/nowhere/robot.toml", "");
  EXPECT_EQ(Find(all, "configuration").finding, Finding::kBad);
  EXPECT_THAT(Find(all, "configuration").detail, HasSubstr("/nowhere/robot.toml"));
  EXPECT_EQ(Worst(all), Finding::kBad);
}

/// The tree's configuration without its contact zones.
std::string WithoutZones() {
  std::ifstream file(kConfig);
  std::ostringstream text;
  text << file.rdbuf();
  std::string all = text.str();
  const std::size_t begin = all.find("[[safety.contact_zones]]"), end = all.find("[learner]");
  all.erase(begin, end - begin);
  const std::string model = "cell/tabletop.xml";
  all.replace(all.find(model), model.size(), tests::SourceTree() + "/configs/" + model);
  const std::string name = testing::TempDir() + "without_zones.toml";
  std::ofstream(name) << all;
  return name;
}

TEST(CheckAll, WarnsThatContactIsNotWatchedWithoutZones) {
  const auto contact = Find(CheckAll(WithoutZones(), ""), "contact");
  EXPECT_EQ(contact.finding, Finding::kWarning);
  EXPECT_THAT(contact.detail, HasSubstr("not watched"));
  EXPECT_THAT(contact.detail, HasSubstr("[[safety.contact_zones]]"));
}

TEST(CheckAll, NamesADataDirectoryWhoseSocketsWouldNotFit) {
  const auto sockets = Find(CheckAll(kConfig, "/tmp/" + std::string(120, 'x')), "sockets");
  EXPECT_EQ(sockets.finding, Finding::kBad);
  EXPECT_THAT(sockets.detail, HasSubstr("at most"));
}

TEST(CheckAll, NamesADataDirectoryThatCannotBeWritten) {
  const auto data = Find(CheckAll(kConfig, "/proc/nightshift"), "data directory");
  EXPECT_EQ(data.finding, Finding::kBad);
  EXPECT_THAT(data.detail, HasSubstr("--data"));
}

TEST(Worst, IsTheHighestOfAll) {
  EXPECT_EQ(Worst({}), Finding::kGood);
  EXPECT_EQ(Worst({{Finding::kGood, "a", ""}, {Finding::kWarning, "b", ""}}), Finding::kWarning);
}

}  // namespace
}  // namespace nightshift::runtime::cli
