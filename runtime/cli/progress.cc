// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/progress.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "core/action.h"
#include "runtime/cli/duration_text.h"

namespace nightshift::runtime::cli {
namespace {

constexpr std::chrono::seconds kLineEvery{5};
constexpr std::size_t kColumnsMax = 118;  // Longer lines would wrap and break redrawing.
constexpr std::size_t kTasksShownMax = 24;
constexpr double kBudgetShownAbove = 0.8;

std::string Share(std::uint64_t solved, std::uint64_t attempts) {
  if (attempts == 0) return "-";
  return fmt::format("{}/{} ({:.0f} %)", solved, attempts,
                     100.0 * static_cast<double>(solved) / static_cast<double>(attempts));
}

std::string TimeText(const RunProgress& progress) {
  std::string text = Text(progress.practised);
  if (progress.robot_time) text += " of " + Text(*progress.robot_time);
  text += " practised";
  if (progress.wall.count() > 0) text += ", " + Text(progress.wall) + " wall";
  if (const auto left = TimeLeft(progress)) text += ", about " + Text(*left) + " left";
  if (progress.restarts > 0) text += fmt::format(", {} restarts of processes", progress.restarts);
  return text;
}

std::string SafetyText(const wire::SafetyStatus& safety) {
  const auto worst = static_cast<core::StopCause>(safety.period().latch().worst());
  std::string text = safety.state();
  if (worst != core::StopCause::kNone) text += " because of " + std::string(core::Name(worst));
  if (safety.period().latch().needs_person()) text += "; a person must look, then: nightshift clear";
  if (safety.period().latch().inspecting()) text += ", slowly: was stopped, and first shows that it follows";
  return text;
}

std::string PersonText(const wire::SafetyStatus& safety) {
  const wire::PersonReport& person = safety.period().person();
  switch (static_cast<core::Presence>(person.presence())) {
    case core::Presence::kUnwatched: return "no presence sensor: nobody is seen";
    case core::Presence::kSilent: return "the presence sensor is silent: taken for a person at the arm";
    case core::Presence::kSeen: break;
  }
  return fmt::format("the nearest {:.2f} m away: {:.0f} % of the arm's speed", person.distance_m(),
                     100 * person.speed_scale());
}

/// Budgets that are nearly used up: the robot will stop for them.
void AddBudgets(const wire::SafetyStatus& safety, std::vector<std::string>& lines) {
  for (const wire::BudgetUse& use : safety.budgets())
    if (use.share() > kBudgetShownAbove)
      lines.push_back(fmt::format("  budget      axis {} has used {:.0f} % of its {}", use.axis(), 100 * use.share(),
                                  use.budget() == "current" ? "current over time" : "day's " + use.budget()));
}

std::string LearnerText(const Heard& heard) {
  if (!heard.learner) return "silent";
  return fmt::format("{}, {} updates, {:.0f}/s, {} transitions", heard.learner->state(), heard.learner->updates(),
                     heard.learner->updates_per_second(), heard.learner->transitions());
}

std::string Activity(const wire::SupervisorStatus& status) {
  return status.why().empty() ? status.activity() : status.activity() + ": " + status.why();
}

void AddTasks(const wire::SupervisorStatus& status, std::vector<std::string>& lines) {
  lines.push_back(fmt::format("  {:<28} {:>18} {:>18}  {:>15} {:>15} {:>6}", "", "all", "all", "latest, one try",
                              "not exploring", ""));
  lines.push_back(fmt::format("  {:<28} {:>18} {:>18}  {:>15} {:>15} {:>6}", "task", "scripted", "learned", "scripted",
                              "learned", "policy"));
  std::size_t shown = 0;
  for (const wire::TaskStatus& task : status.tasks()) {
    if (++shown > kTasksShownMax) {
      lines.push_back(fmt::format("  and {} more", static_cast<std::size_t>(status.tasks_size()) - kTasksShownMax));
      break;
    }
    lines.push_back(fmt::format(
        "  {:<28} {:>18} {:>18}  {:>15} {:>15} {:>6}", (task.recovery() ? "+ " : "") + task.task(),
        Share(task.scripted_solved(), task.scripted_attempts()), Share(task.learned_solved(), task.learned_attempts()),
        Share(task.single_try_solved(), task.single_try_attempts()), Share(task.mean_solved(), task.mean_attempts()),
        task.promoted_version() ? fmt::format("v{}", task.promoted_version()) : "-"));
  }
}

std::uint64_t RecoveryTasks(const wire::SupervisorStatus& status) {
  return static_cast<std::uint64_t>(
      std::count_if(status.tasks().begin(), status.tasks().end(), [](const auto& task) { return task.recovery(); }));
}

}  // namespace

std::optional<core::Duration> TimeLeft(const RunProgress& progress) {
  constexpr core::Duration kEnough = core::Seconds(10);
  if (!progress.robot_time || progress.practised < kEnough) return std::nullopt;
  const double left = core::ToSeconds(std::max(core::Duration(0), *progress.robot_time - progress.practised));
  return core::Seconds(left * static_cast<double>(progress.wall.count()) / core::ToSeconds(progress.practised));
}

std::vector<std::string> StatusBlock(const Heard& heard, const RunProgress& progress) {
  std::vector<std::string> lines{"nightshift  " + TimeText(progress)};
  if (!heard.supervisor) {
    lines.push_back("  supervisor: silent (starting, or restarting after a crash)");
  } else {
    const wire::SupervisorStatus& status = *heard.supervisor;
    lines.push_back("  now         " + Activity(status));
    lines.push_back(fmt::format("  episodes    {}   recovery tasks {}   interventions {}", status.episodes(),
                                RecoveryTasks(status), status.interventions()));
    for (const std::string& mode : status.degraded()) lines.push_back("  note        " + mode);
    if (!status.fault().empty()) lines.push_back("  fault       " + status.fault());
  }
  lines.push_back("  safety      " + (heard.safety ? SafetyText(*heard.safety) : std::string("silent")));
  if (heard.safety) lines.push_back("  persons     " + PersonText(*heard.safety));
  if (heard.safety)
    for (const std::string& mode : heard.safety->degraded()) lines.push_back("  note        " + mode);
  if (heard.safety) AddBudgets(*heard.safety, lines);
  lines.push_back("  learner     " + LearnerText(heard));
  if (heard.learner)
    for (const std::string& mode : heard.learner->degraded()) lines.push_back("  note        " + mode);
  if (heard.supervisor && !heard.supervisor->risk().empty())
    lines.push_back("  risk critic " + heard.supervisor->risk());
  if (heard.supervisor) AddTasks(*heard.supervisor, lines);
  for (std::string& line : lines)
    if (line.size() > kColumnsMax) line.resize(kColumnsMax);
  return lines;
}

std::string StatusLine(const Heard& heard, const RunProgress& progress) {
  std::string line = TimeText(progress);
  if (!heard.supervisor) return line + " | supervisor silent";
  line += fmt::format(" | {} | {} episodes", Activity(*heard.supervisor), heard.supervisor->episodes());
  for (const wire::TaskStatus& task : heard.supervisor->tasks()) {
    if (task.recovery()) continue;
    line += fmt::format(" | {} scripted {} learned {}", task.task(),
                        Share(task.scripted_solved(), task.scripted_attempts()),
                        Share(task.learned_solved(), task.learned_attempts()));
    if (task.mean_attempts() > 0)
      line += fmt::format(", latest: one try {}, not exploring {}",
                          Share(task.single_try_solved(), task.single_try_attempts()),
                          Share(task.mean_solved(), task.mean_attempts()));
  }
  return line + fmt::format(" | recovery tasks {} | interventions {} | {:.0f} updates/s",
                            RecoveryTasks(*heard.supervisor), heard.supervisor->interventions(),
                            heard.learner ? heard.learner->updates_per_second() : 0.0);
}

void ProgressScreen::Show(const Heard& heard, const RunProgress& progress) {
  if (kind_ == Kind::kLines) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_line_) return;
    next_line_ = now + kLineEvery;
    fmt::print("{}\n", StatusLine(heard, progress));
    std::fflush(stdout);
    return;
  }
  if (drawn_ > 0) fmt::print("\x1b[{}F\x1b[J", drawn_);
  const auto lines = StatusBlock(heard, progress);
  for (const std::string& line : lines) fmt::print("{}\n", line);
  drawn_ = lines.size();
  std::fflush(stdout);
}

ProgressScreen::Kind ScreenKind() {
  return ::isatty(STDOUT_FILENO) ? ProgressScreen::Kind::kTerminal : ProgressScreen::Kind::kLines;
}

}  // namespace nightshift::runtime::cli
