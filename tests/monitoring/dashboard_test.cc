// SPDX-License-Identifier: Apache-2.0
// What is shipped for Grafana and Prometheus fits what the processes expose.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "learner/health.h"
#include "monitoring/gathering.h"
#include "skills/gate.h"
#include "tests/monitoring/everything.h"
#include "tests/monitoring/panels.h"

namespace nightshift::monitoring {
namespace {

using testing::ContainerEq;
using testing::HasSubstr;
using testing::IsSubsetOf;

std::string TextOf(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string UnionExposition() {
  const WallInstant now{};
  const auto everything = TouchEverything();
  Gathering gathering({});
  EXPECT_TRUE(gathering.Take("safety", everything.safety, now));
  EXPECT_TRUE(gathering.Take("supervisor", everything.supervisor, now));
  EXPECT_TRUE(gathering.Take("learner", everything.learner, now));
  return gathering.Exposition(now);
}

std::set<std::string> Matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

std::set<std::string> Families() { return Matches(UnionExposition(), std::regex("# TYPE (nightshift_[a-z_]+) ")); }

std::set<std::string> SampleNames() {
  return Matches("\n" + UnionExposition(), std::regex("\n(nightshift_[a-z_]+)[ {]"));
}

std::set<std::string> NamesIn(const std::string& expression) {
  return Matches(expression, std::regex("(nightshift_[a-z_]+)"));
}

TEST(Dashboard, EveryPanelSaysWhatItShowsAndInWhichUnit) {
  const auto dashboards = Dashboards();
  ASSERT_FALSE(dashboards.empty());
  for (const auto& dashboard : dashboards) {
    std::set<std::string> titles;
    for (const auto& panel : PanelsOf(dashboard)) {
      const std::string title = panel.at("title");
      EXPECT_TRUE(titles.insert(title).second) << title << " is there twice";
      EXPECT_GT(panel.at("description").get<std::string>().size(), 8u) << title;
      EXPECT_FALSE(panel.at("fieldConfig").at("defaults").at("unit").get<std::string>().empty()) << title;
      EXPECT_EQ(panel.at("datasource").at("uid"), "${datasource}") << title;
      EXPECT_FALSE(ExpressionsOf(panel).empty()) << title;
    }
  }
}

TEST(Dashboard, DataSourceJobAndInstanceCanBeChosenAndEverySelectorHeedsThem) {
  const std::regex selector("nightshift_[a-z_]+(\\{[^}]*\\})?");
  for (const auto& dashboard : Dashboards()) {
    std::set<std::string> variables;
    for (const auto& variable : dashboard.at("templating").at("list")) variables.insert(variable.at("name"));
    EXPECT_EQ(variables, (std::set<std::string>{"datasource", "job", "instance"}));
    for (const auto& panel : PanelsOf(dashboard))
      for (const auto& expression : ExpressionsOf(panel))
        for (std::sregex_iterator match(expression.begin(), expression.end(), selector), end; match != end; ++match)
          EXPECT_THAT((*match)[1].str(), HasSubstr("job=~\"$job\", instance=~\"$instance\"")) << expression;
  }
}

TEST(Dashboard, RatesUseGrafanasOwnWindow) {
  for (const auto& dashboard : Dashboards())
    for (const auto& panel : PanelsOf(dashboard))
      for (const auto& expression : ExpressionsOf(panel)) {
        if (expression.find("rate(") == std::string::npos) continue;
        EXPECT_THAT(expression, HasSubstr("[$__rate_interval]"));
      }
}

TEST(Dashboard, EveryFigureThatItAsksForIsExposed) {
  const auto exposed = SampleNames();
  for (const auto& dashboard : Dashboards())
    for (const auto& panel : PanelsOf(dashboard))
      for (const auto& expression : ExpressionsOf(panel)) EXPECT_THAT(NamesIn(expression), IsSubsetOf(exposed));
}

TEST(Dashboard, EveryFigureThatIsExposedIsShown) {
  std::set<std::string> shown{"nightshift_build_info"};  // What its variables are filled from.
  for (const auto& dashboard : Dashboards())
    for (const auto& panel : PanelsOf(dashboard))
      for (const auto& expression : ExpressionsOf(panel)) shown.merge(NamesIn(expression));
  for (const auto& family : Families())
    EXPECT_TRUE(shown.contains(family) || shown.contains(family + "_bucket")) << family << " is on no panel";
}

TEST(Dashboard, PanelsHaveTheirOwnNumberAndDoNotLieOnEachOther) {
  for (const auto& dashboard : Dashboards()) {
    std::set<std::pair<int, int>> taken;
    std::set<int> numbers;
    for (const auto& panel : dashboard.at("panels")) {
      EXPECT_TRUE(numbers.insert(panel.at("id").get<int>()).second) << panel.at("title");
      const auto& place = panel.at("gridPos");
      EXPECT_LE(place.at("x").get<int>() + place.at("w").get<int>(), 24) << panel.at("title");
      for (int x = place.at("x"); x < place.at("x").get<int>() + place.at("w").get<int>(); ++x)
        for (int y = place.at("y"); y < place.at("y").get<int>() + place.at("h").get<int>(); ++y)
          EXPECT_TRUE(taken.insert({x, y}).second) << panel.at("title");
    }
  }
}

TEST(Dashboard, EveryExpressionIsPromQl) {
  const std::string file = testing::TempDir() + "nightshift-panels.yml";
  std::ofstream rules(file);
  rules << "groups:\n  - name: panels\n    rules:\n";
  int number = 0;
  for (const auto& dashboard : Dashboards())
    for (const auto& panel : PanelsOf(dashboard))
      for (const auto& expression : ExpressionsOf(panel))
        rules << "      - {record: \"panel:" << number++ << "\", expr: " << nlohmann::json(Concrete(expression))
              << "}\n";
  rules.close();
  const auto checked = RunProgram("promtool check rules " + file);
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr(std::to_string(number) + " rules found"));
}

TEST(Alerts, EveryFigureThatTheyAskForIsExposed) {
  const auto rules = TextOf(SourceFile("monitoring/alerts/nightshift.yml"));
  EXPECT_THAT(Matches(rules, std::regex("(nightshift_[a-z_]+)[ {\\[)]")), IsSubsetOf(SampleNames()));
}

TEST(Alerts, EachFiresWhenItShouldAndIsSilentOtherwise) {
  const auto tested =
      RunProgram("cd " + SourceFile("monitoring/alerts").string() + " && promtool test rules nightshift_test.yml");
  EXPECT_EQ(tested.exit_code, 0) << tested.output;
  const auto tests = TextOf(SourceFile("monitoring/alerts/nightshift_test.yml"));
  for (const auto& alert :
       Matches(TextOf(SourceFile("monitoring/alerts/nightshift.yml")), std::regex("alert: (Nightshift[A-Za-z]+)"))) {
    const auto name = "alertname: " + alert + "\n";
    const auto first = tests.find(name);
    ASSERT_NE(first, std::string::npos) << alert << " is not tested";
    EXPECT_NE(tests.find(name, first + 1), std::string::npos) << alert << " is not tested both firing and silent";
  }
}

TEST(Alerts, EachStandsInTheRunbookWithItsSeverityAndWhatToDo) {
  const auto rules = TextOf(SourceFile("monitoring/alerts/nightshift.yml"));
  const auto runbook = TextOf(SourceFile("docs/runbook.md"));
  const std::regex rule("alert: (Nightshift[A-Za-z]+)\n(?:.*\n){1,2}? *labels: \\{severity: ([a-z]+)\\}");
  std::size_t found = 0;
  for (std::sregex_iterator match(rules.begin(), rules.end(), rule), end; match != end; ++match, ++found)
    EXPECT_TRUE(runbook.find("| `" + (*match)[1].str() + "` | " + (*match)[2].str() + " | ") != std::string::npos)
        << (*match)[1] << ", " << (*match)[2];
  EXPECT_EQ(found, Matches(rules, std::regex("alert: (Nightshift[A-Za-z]+)")).size());
}

/// What is out of the ordinary is the same to the doctor, to an alert and to who reads a panel.
TEST(Alerts, AndPanelsCallNormalWhatTheLearnersOwnRuleCallsNormal) {
  const learner::HealthRule rule;
  const auto rules = TextOf(SourceFile("monitoring/alerts/nightshift.yml"));
  const auto percent = [](double share) { return std::to_string(std::lround(100 * share)); };
  EXPECT_THAT(rules, HasSubstr("nightshift_learner_value_range > " + percent(rule.value_bias_max) + " and"));
  EXPECT_THAT(rules, HasSubstr("nightshift_learner_held_out_episodes >= " +
                               std::to_string(skills::JudgingRule{}.held_out_episodes_min) + "\n"));
  EXPECT_THAT(rules,
              HasSubstr("nightshift_learner_dormant_ratio > 0." + std::to_string(std::lround(10 * rule.dormant_max))));
  const std::map<std::string, std::string> normal = {
      {"Value bias", "normal is within " + percent(rule.value_bias_max) + " %"},
      {"Value error", "normal is below " + percent(rule.value_error_max) + " %"},
      {"Saturated actions", "normal is below " + percent(rule.saturated_max) + " %"},
      {"Feature rank", "normal is above " + percent(rule.feature_rank_min) + " %"},
      {"Dormant units", "normal is below " + percent(rule.dormant_max) + " %"}};
  std::size_t told = 0;
  for (const auto& dashboard : Dashboards())
    for (const auto& panel : PanelsOf(dashboard)) {
      const auto words = normal.find(panel.at("title"));
      if (words == normal.end()) continue;
      ++told;
      EXPECT_THAT(panel.at("description").get<std::string>(), HasSubstr(words->second)) << words->first;
    }
  EXPECT_EQ(told, normal.size());
}

TEST(Exposition, PromtoolFindsNothingToSayAboutIt) {
  const std::string file = testing::TempDir() + "nightshift-exposition.txt";
  std::ofstream(file) << UnionExposition();
  const auto checked = RunProgram("promtool check metrics < " + file);
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
  EXPECT_EQ(checked.output, "");
}

TEST(Exposition, EveryFigureIsToldByAProcessAndNotOnlyByTests) {
  std::string programs;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SourceFile("runtime")))
    if (entry.path().extension() == ".cc") programs += TextOf(entry.path());
  for (const auto& entry : std::filesystem::directory_iterator(SourceFile("monitoring"))) {
    if (!entry.path().string().ends_with("_metrics.h")) continue;
    for (const auto& figure : Matches(TextOf(entry.path()), std::regex("  void ([A-Z][A-Za-z]+)\\(")))
      EXPECT_NE(programs.find("." + figure + "("), std::string::npos)
          << entry.path().filename() << ": nobody calls " << figure;
  }
}

TEST(Exposition, EveryFigureIsDescribedInTheDocumentationAndNoneIsInvented) {
  const auto documented = Matches(TextOf(SourceFile("docs/metrics.md")), std::regex("`(nightshift_[a-z_]+)"));
  EXPECT_THAT(documented, ContainerEq(Families()));
}

}  // namespace
}  // namespace nightshift::monitoring
