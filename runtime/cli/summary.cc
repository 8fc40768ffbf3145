// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/summary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "io/journal/reader.h"
#include "runtime/cli/duration_text.h"

namespace nightshift::runtime::cli {
namespace {

constexpr double kZ95 = 1.96;
constexpr int kParts = 4;  // The first and the last quarter of a task's attempts are compared.

struct TaskStory {
  Ratio scripted, learned;
  std::vector<bool> learned_in_order;  // Solved or not.
  std::vector<bool> all_in_order;
};

Ratio Part(const std::vector<bool>& outcomes, int part) {
  const std::size_t size = outcomes.size();
  const std::size_t begin = size * static_cast<std::size_t>(part) / kParts;
  const std::size_t end = size * static_cast<std::size_t>(part + 1) / kParts;
  Ratio ratio{.solved = 0, .attempts = static_cast<std::int64_t>(end - begin)};
  for (std::size_t i = begin; i < end; ++i) ratio.solved += outcomes[i] ? 1 : 0;
  return ratio;
}

void Count(const core::Episode& episode, TaskStory& story) {
  if (episode.outcome == core::Outcome::kInterrupted || episode.outcome == core::Outcome::kRunning) return;
  const bool solved = episode.outcome == core::Outcome::kSuccess;
  Ratio& ratio = episode.skill == core::SkillKind::kLearned ? story.learned : story.scripted;
  ++ratio.attempts;
  ratio.solved += solved ? 1 : 0;
  if (episode.skill == core::SkillKind::kLearned) story.learned_in_order.push_back(solved);
  story.all_in_order.push_back(solved);
}

core::Result<std::map<std::string, TaskStory>> Stories(io::JournalReader& reader) {
  std::map<std::string, TaskStory> stories;
  std::int64_t cursor = 0;
  for (;;) {
    const auto batch = reader.SummariesAfter(cursor, io::kEpisodesPerReadMax);
    if (!batch) return tl::make_unexpected(batch.error());
    if (batch->empty()) return stories;
    for (const io::EpisodeSummary& one : *batch) Count(one.episode, stories[one.episode.task]);
    cursor = batch->back().episode.id;
  }
}

/// "first quarter of them 3/10, ...; last quarter 9/10, ..."; nothing where there are too few to compare.
std::string ThenAndNow(const std::vector<bool>& outcomes) {
  if (outcomes.size() < kParts) return "";
  return fmt::format("; first quarter of them {}; last quarter {}", Text(Part(outcomes, 0)),
                     Text(Part(outcomes, kParts - 1)));
}

std::string TaskLines(const std::string& name, const TaskStory& story) {
  return fmt::format("  {:<20} scripted {}\n  {:<20} learned  {}{}\n", name, Text(story.scripted), "",
                     Text(story.learned), ThenAndNow(story.learned_in_order));
}

std::string RecoveryLine(const std::string& name, const TaskStory& story) {
  const Ratio all{.solved = story.scripted.solved + story.learned.solved,
                  .attempts = story.scripted.attempts + story.learned.attempts};
  return fmt::format("  {:<20} solved   {}{}\n", name, Text(all), ThenAndNow(story.all_in_order));
}

std::string TasksText(const std::map<std::string, TaskStory>& stories, const core::Catalogue& catalogue) {
  const auto recovery = [&catalogue](const std::string& name) {
    return std::any_of(catalogue.recovery_tasks.begin(), catalogue.recovery_tasks.end(),
                       [&name](const core::TaskSpec& task) { return task.name == name; });
  };
  std::string practised, recovered;
  for (const auto& [name, story] : stories)
    (recovery(name) ? recovered : practised) += recovery(name) ? RecoveryLine(name, story) : TaskLines(name, story);
  std::string text = "tasks (solved/attempts, 95 % interval; practice explores, `nightshift evaluate` measures)\n" +
                     (practised.empty() ? "  no attempt yet\n" : practised);
  text += fmt::format("recovery tasks made from failures: {}\n", catalogue.recovery_tasks.size());
  return text + recovered;
}

std::string FailuresText(const std::vector<io::FailureTally>& tallies) {
  std::map<std::string, std::int64_t> seen;
  for (const io::FailureTally& tally : tallies) seen[tally.kind] += tally.seen;
  std::string text = "failures seen:";
  for (const auto& [kind, count] : seen) text += fmt::format(" {} {}", kind, count);
  return text + (seen.empty() ? " none\n" : "\n");
}

std::string InterventionsText(const core::Catalogue& catalogue) {
  const double hours = core::ToSeconds(catalogue.practised) / 3600;
  const auto count = catalogue.interventions.size();
  return fmt::format("interventions: {} in {} of robot time{}\n", count, Text(catalogue.practised),
                     hours > 0 ? fmt::format(" ({:.2f} per robot-hour)", static_cast<double>(count) / hours) : "");
}

}  // namespace

Interval WilsonInterval(const Ratio& ratio) {
  if (ratio.attempts <= 0) return {};
  const double n = static_cast<double>(ratio.attempts), p = static_cast<double>(ratio.solved) / n, z2 = kZ95 * kZ95;
  const double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ95 / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

std::string Text(const Ratio& ratio) {
  if (ratio.attempts == 0) return "-";
  const Interval interval = WilsonInterval(ratio);
  return fmt::format("{}/{}, {:.0f} % [{:.0f}, {:.0f}]", ratio.solved, ratio.attempts,
                     100.0 * static_cast<double>(ratio.solved) / static_cast<double>(ratio.attempts),
                     100 * interval.low, 100 * interval.high);
}

core::Result<std::string> SummaryOf(const std::filesystem::path& data_directory) {
  io::JournalReader reader(data_directory);
  const auto stories = Stories(reader);
  if (!stories) return tl::make_unexpected(stories.error());
  const auto catalogue = reader.Load();
  if (!catalogue) return tl::make_unexpected(catalogue.error());
  const auto failures = reader.Failures();
  if (!failures) return tl::make_unexpected(failures.error());
  return "what was learned, all sessions in " + data_directory.string() + "\n" + TasksText(*stories, *catalogue) +
         FailuresText(*failures) + InterventionsText(*catalogue);
}

}  // namespace nightshift::runtime::cli
