// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/fault.h"
#include "core/random.h"
#include "runtime/body.h"
#include "runtime/episode.h"
#include "skills/policy.h"

namespace nightshift::runtime {

/// A share with its 95 % Wilson score interval (Wilson 1927).
struct Share {
  int solved = 0;
  int attempts = 0;
  double low = 0;
  double high = 1;

  double mean() const { return attempts ? static_cast<double>(solved) / attempts : 0; }
};
Share WilsonShare(int solved, int attempts);

/// Who acts in an evaluation.
enum class Contender { kLearned, kScriptedOnce, kScriptedRetry };
std::string_view Name(Contender contender);
core::Result<Contender> ContenderFrom(const std::string& name);

struct EvaluationPlan {
  std::string task;
  Contender contender = Contender::kLearned;
  int episodes = 200;
  std::uint64_t seed = 1;
};

struct EvaluationResult {
  Share judged;           // By the task's own conditions, on what the robot sees.
  int confirmed = 0;      // Of the successes: also true in the cell.
  int scenes = 0;         // Staged; more than attempts where a start could not be brought about.
  int interrupted = 0;    // Scenes lost because the safety process did not answer in time: neither solved nor failed.
  double mean_steps = 0;  // Policy steps per attempt.
};

/// What an evaluation needs of its cell beyond arm and eyes.
struct Stage {
  std::function<core::Result<void>(std::uint64_t seed)> set;
  /// Is what the robot believes about this object true? By task name.
  std::function<core::Result<bool>(const std::string& task, int object)> confirm;
};

/// Attempts on fresh scenes, each from its own seed, alternately with each object; the arm begins at home. Where a task
/// starts with an object in hand or in the bin, that start is brought about by the promoted policies, or else by
/// scripts that retry; scenes in which that fails are staged again and counted. Nothing is recorded or learned.
/// Thread: that of the caller.
class Evaluation {
 public:
  struct Parts {
    Body& body;
    const skills::Scene& scene;
    const std::vector<core::TaskSpec>& tasks;
    std::map<std::string, skills::LearnedPolicy>& policies;  // Promoted, by task.
    Stage stage;
    std::function<void(int done, int solved)> progress;
  };
  explicit Evaluation(Parts parts) : parts_(std::move(parts)) {}

  /// Faults: kInvalidConfig for a task or policy that does not exist; kRefused when the start hardly ever comes about.
  core::Result<EvaluationResult> Run(const EvaluationPlan& plan);

 private:
  core::Result<std::optional<core::Episode>> Try(const skills::Task& task, int object, const EvaluationPlan& plan,
                                                 int scene, core::Random& random);
  core::Result<void> Prepare(std::uint64_t seed);
  core::Result<bool> BringAbout(const skills::Task& task, int object, core::Random& random);
  core::Result<core::Episode> Attempt(const skills::Task& task, int object, Contender contender, core::Random& random);
  core::Result<void> ClearStop();
  core::Result<void> Home();
  core::Result<skills::Task> Find(const std::string& name) const;

  Parts parts_;
};

}  // namespace nightshift::runtime
