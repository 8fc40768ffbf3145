// SPDX-License-Identifier: Apache-2.0
// The failure matrix: each way to fail (SAFETY.md, T4) of each channel in each phase, and what the robot must do.
#include <gtest/gtest.h>

#include <set>
#include <span>
#include <sstream>

#include "tests/faults/failure_matrix.h"

namespace nightshift::tests {
namespace {

using core::StopCause;

// ---- What happened, against what must ----

struct Row {
  const Line* line;
  int number;
  Phase phase;
  core::Pacing pacing;
};

std::string Text(const Story& story) {
  std::ostringstream text;
  text << "raised:";
  for (const StopCause cause : story.raised) text << ' ' << Name(cause);
  const auto ms = [](const auto& time) { return time ? std::to_string(time->count()) + " ms" : std::string("never"); };
  text << "; stopped at rest: " << ms(story.rest) << "; still: " << ms(story.still)
       << "; power off: " << story.powered_off << "; latched at the end: " << story.latched_at_end
       << "; interrupted: " << story.interrupted << "; moves again: " << story.moves_again << "; wall " << story.wall_s
       << " s; at the end " << story.at_the_end << "; asked:";
  for (const std::string& why : story.asked) text << " \"" << why << '"';
  return text.str();
}

std::string FaultInStop(const Expected& expected, const Story& story, Phase phase) {
  if (story.raised.empty()) return "nothing stopped it";
  const bool joins = phase == Phase::kStopping && story.raised.front() == StopCause::kNone;
  if (!joins && story.raised.front() != expected.cause) return "another cause";
  const bool passing = expected.end == End::kRecovers && !story.latched_at_end;  // Gone again before it came to rest.
  if (!passing && (!story.rest || story.rest->count() > expected.rest_ms)) return "not at rest in time";
  if (!passing && story.powered_off != (expected.end != End::kStops)) return "wrong category of stop";
  if (expected.end == End::kRecovers && story.cleared_by_someone) return "somebody cleared what clears itself";
  return "";
}

/// Empty: the story is as it must be.
std::string FaultIn(const Story& story, const Row& row) {
  const auto& [line, number, phase, pacing] = row;
  const Expected& expected = line->phases[static_cast<std::size_t>(phase)];
  if (!story.began) return "the phase was never reached";
  if (!story.limits_left.empty()) return "an action left a limit: " + story.limits_left.front();
  if (!story.persons_stop_stood) return "a person's stop was forgotten";
  if (!story.moves_again) return "no motion afterwards";
  const double lasted_s = std::chrono::duration<double>(line->trouble.lasts).count();
  if (pacing == core::Pacing::kMonotonic && story.wall_s > 2 * lasted_s) return "robot time fell behind wall time";
  switch (expected.end) {
    case End::kGoesOn: return story.raised.empty() ? "" : "stopped";
    case End::kWaits:
      if (!story.raised.empty()) return "stopped";
      return story.still && story.still->count() <= expected.rest_ms ? "" : "not at rest in time";
    case End::kStops:
    case End::kStopsThenOff:
    case End::kRecovers: return FaultInStop(expected, story, phase);
    case End::kSenseless: break;
  }
  return "not a row to be run";
}

// ---- The tests ----

constexpr std::array kPacings{core::Pacing::kMonotonic, core::Pacing::kLockStep};  // As hardware is; as the cell is.

std::vector<Row> RowsOf(std::span<const Line> lines, std::span<const core::Pacing> pacings) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < lines.size(); ++i)
    for (int phase = 0; phase < kPhases; ++phase) {
      if (lines[i].phases[static_cast<std::size_t>(phase)].end == End::kSenseless) continue;
      for (const auto pacing : pacings)
        rows.push_back({&lines[i], static_cast<int>(i), static_cast<Phase>(phase), pacing});
    }
  return rows;
}

std::string NameOf(const testing::TestParamInfo<Row>& info) {
  const Row& row = info.param;
  const auto at = [](const auto& names, auto value) { return std::string(names[static_cast<std::size_t>(value)]); };
  return at(kChannels, row.line->channel) + at(kModes, row.line->mode) + std::to_string(row.number) +
         at(kPhaseNames, row.phase) + (row.pacing == core::Pacing::kLockStep ? "LockStep" : "");
}

void PrintTo(const Row& row, std::ostream* out) { *out << row.line->how; }

class FailureMatrix : public testing::TestWithParam<Row> {};

TEST_P(FailureMatrix, EndsAsTheTableSays) {
  const auto& [line, number, phase, pacing] = GetParam();
  const Story story = WholeRobot(line->trouble, phase, pacing).Lives();
  EXPECT_EQ(FaultIn(story, GetParam()), "") << line->how << "; " << Text(story);
}
INSTANTIATE_TEST_SUITE_P(Each, FailureMatrix, testing::ValuesIn(RowsOf(kMatrix, kPacings)), NameOf);

TEST(FailureMatrixTable, HasEachModeOfEachChannelAndAReasonForWhatMakesNoSense) {
  std::set<std::pair<Channel, Mode>> seen;
  for (const Line& line : kMatrix) {
    seen.emplace(line.channel, line.mode);
    for (const Expected& expected : line.phases)
      EXPECT_TRUE(expected.end != End::kSenseless || *expected.reason != '\0') << line.how;
  }
  EXPECT_EQ(seen.size(), kChannels.size() * kModes.size());
}

}  // namespace
}  // namespace nightshift::tests
