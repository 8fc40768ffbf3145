// SPDX-License-Identifier: Apache-2.0
#include "runtime/offline_service.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/journal/instance_lock.h"
#include "io/journal/reader.h"
#include "learner/snapshot_store.h"

namespace nightshift::runtime {
namespace {

using core::FaultCode;
using Say = std::function<void(const std::string&)>;

std::string ManifestOf(const LearnerServiceOptions& options) {
  return (options.data_directory / "learner" / "manifest").string();
}

/// What earlier sessions learned, where there were any.
core::Result<void> Restore(const LearnerServiceOptions& options, const core::Catalogue& catalogue,
                           learner::Trainer& trainer, const Say& say) {
  const auto loaded = trainer.Load(ManifestOf(options));
  if (!loaded && loaded.error().code != FaultCode::kMissingFile) return tl::make_unexpected(loaded.error());
  if (loaded && !loaded->empty()) say("the newest manifest cannot be used, its predecessor is: " + *loaded);
  if (auto known = trainer.Know(options.tasks); !known) return known;
  return trainer.Know(catalogue.recovery_tasks);
}

core::Result<void> ReadAll(io::JournalReader& reader, const LearnerServiceOptions& options, learner::Trainer& trainer,
                           const Say& say) {
  std::size_t episodes = 0, steps = 0;
  for (bool more = true; more;) {
    const auto read = reader.ClosedAfter(trainer.cursor(), options.learner.episodes_per_read);
    if (!read) return tl::make_unexpected(read.error());
    for (const core::Episode& episode : *read) {
      trainer.Ingest(episode);
      steps += episode.steps.size();
    }
    episodes += read->size();
    more = !read->empty();
  }
  say(fmt::format("read {} episodes, {} steps, from the journal", episodes, steps));
  trainer.EndRefill();
  if (const std::string trouble = trainer.RefillTrouble(); !trouble.empty()) say(trouble);
  return {};
}

std::string InWords(const std::string& task, learner::OfflineAlgorithm algorithm, const learner::Extraction& made,
                    const learner::AgentFacts& had) {
  const auto updates = algorithm == learner::OfflineAlgorithm::kCloning ? made.state.clone_updates : made.state.updates;
  return fmt::format(
      "{}: {} made {} updates from {} samples, {} of them distinct; {} demonstrated episodes; last loss {:.3g}, mean "
      "value {:.3g}",
      task, learner::Name(algorithm), updates, made.logged.samples, made.logged.distinct, had.demonstrated_episodes,
      made.loss, made.value_mean);
}

enum class Came { kToAPolicy, kToNothing, kToAnEarlyEnd };

/// One task. Faults: what is no matter of this task alone.
core::Result<Came> ExtractOne(const LearnerServiceOptions& options, const learner::AgentFacts& had,
                              learner::Trainer& trainer, const Say& say, const std::function<bool()>& must_end) {
  const auto extraction = trainer.ExtractOffline(had.task, must_end);
  if (!extraction && extraction.error().code == FaultCode::kRefused) {
    say(fmt::format("{}: left as it is: {}", had.task, extraction.error().detail));
    return Came::kToNothing;
  }
  if (!extraction) return core::Fail(extraction.error().code, had.task + ": " + extraction.error().detail);
  if (!extraction->finished) return Came::kToAnEarlyEnd;
  say(InWords(had.task, options.learner.offline.algorithm, *extraction, had));
  return Came::kToAPolicy;
}

core::Result<void> WriteSnapshot(const std::string& task, const learner::Trainer& trainer,
                                 learner::SnapshotStore& snapshots, const Say& say) {
  auto weights = trainer.Weights(task);
  if (!weights) return tl::make_unexpected(weights.error());
  const auto facts = trainer.Facts();
  const auto own = std::find_if(facts.begin(), facts.end(), [&](const auto& each) { return each.task == task; });
  const auto version = snapshots.Write(task, own->updates, std::move(*weights));
  if (!version) return tl::make_unexpected(version.error());
  say(fmt::format("{}: snapshot {}", task, snapshots.PathOf(task, *version).string()));
  return {};
}

/// The manifest first: without a snapshot the learner publishes one from it, without the manifest a snapshot is lost.
core::Result<void> Write(const LearnerServiceOptions& options, const core::Catalogue& catalogue,
                         const std::vector<std::string>& tasks, learner::Trainer& trainer, const Say& say) {
  std::int64_t version_used = 0;
  for (const core::SnapshotRecord& snapshot : catalogue.snapshots)
    version_used = std::max(version_used, snapshot.version);
  auto snapshots = learner::SnapshotStore::Open(options.data_directory / "snapshots", version_used);
  if (!snapshots) return tl::make_unexpected(snapshots.error());
  if (auto saved = trainer.Save(ManifestOf(options)); !saved) return saved;
  for (const std::string& task : tasks)
    if (auto written = WriteSnapshot(task, trainer, *snapshots, say); !written) return written;
  say(fmt::format("manifest {}: practice goes on from it", ManifestOf(options)));
  return {};
}

}  // namespace

core::Result<void> LearnOffline(const LearnerServiceOptions& options, const Say& say,
                                const std::function<bool()>& must_end) {
  const auto lock = io::InstanceLock::Acquire(options.data_directory, "learner");
  if (!lock) return tl::make_unexpected(lock.error());
  std::error_code trouble;
  std::filesystem::create_directories(options.data_directory / "learner", trouble);  // If it failed, Save says so.
  io::JournalReader reader(options.data_directory);
  const auto catalogue = reader.Load();
  if (!catalogue) return tl::make_unexpected(catalogue.error());
  learner::Trainer trainer(options.learner, options.scene);
  if (auto restored = Restore(options, *catalogue, trainer, say); !restored) return restored;
  if (auto read = ReadAll(reader, options, trainer, say); !read) return read;
  std::vector<std::string> made;  // Tasks that gave a policy.
  for (const learner::AgentFacts& had : trainer.Facts()) {
    const auto came = ExtractOne(options, had, trainer, say, must_end);
    if (!came) return tl::make_unexpected(came.error());
    if (*came == Came::kToAPolicy) made.push_back(had.task);
    if (*came == Came::kToAnEarlyEnd) {
      say("asked to end before it was done: nothing was written");
      return {};
    }
  }
  if (made.empty())
    return core::Fail(FaultCode::kRefused, "no task gave a policy, for the reasons said above; nothing was written");
  return Write(options, *catalogue, made, trainer, say);
}

}  // namespace nightshift::runtime
