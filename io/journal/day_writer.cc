// SPDX-License-Identifier: Apache-2.0
#include "io/journal/day_writer.h"

#include <string>

#include "io/journal/blob.h"
#include "io/journal/schema.h"

namespace nightshift::io {

using core::Result;

Result<DayWriter> DayWriter::Open(const std::filesystem::path& path) {
  auto database = OpenForWriting(path);
  if (!database) return tl::make_unexpected(database.error());
  auto append = database->Prepare("INSERT INTO transition(episode, step, body) VALUES(?, ?, ?)");
  if (!append) return tl::make_unexpected(append.error());
  return DayWriter(std::move(*database), std::move(*append));
}

Result<std::int64_t> DayWriter::NewestEpisode() {
  const auto newest = database_.Scalar("SELECT max(id) FROM episode");
  if (!newest) return tl::make_unexpected(newest.error());
  return newest->value_or(0);
}

Result<void> DayWriter::InterruptOpen() {
  return database_.Execute(
      "UPDATE episode SET outcome = 'interrupted', ended_ns = max(started_ns, ended_ns), "
      "steps = (SELECT count(*) FROM transition WHERE transition.episode = episode.id) WHERE outcome = 'running'");
}

Result<void> DayWriter::Begin(const core::Episode& episode, core::Duration practised) {
  if (auto synced = database_.Execute("PRAGMA synchronous=FULL"); !synced) return synced;
  auto insert = database_.Prepare(
      "INSERT INTO episode(id, task, object, goal_x_m, goal_y_m, goal_z_m, skill, policy_version, demonstration, "
      "started_ns, ended_ns, utc_ns, practised_ns, outcome, failure, steps) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', '', 0)");
  if (!insert) return tl::make_unexpected(insert.error());
  const std::int64_t started_ns = core::ToNanoseconds(episode.started);
  insert->Bind(episode.id).Bind(episode.task).Bind(std::int64_t{episode.target.object});
  insert->Bind(episode.target.goal_m.x).Bind(episode.target.goal_m.y).Bind(episode.target.goal_m.z);
  insert->Bind(core::Name(episode.skill)).Bind(episode.policy_version).Bind(std::int64_t{episode.demonstration});
  insert->Bind(started_ns).Bind(started_ns).Bind(episode.utc_ns).Bind(std::int64_t{practised.count()});
  if (auto begun = insert->Run(); !begun) return begun;
  // Steps are written to the log one by one (safe against the death of this process) and synced by Close.
  return database_.Execute("PRAGMA synchronous=NORMAL");
}

Result<void> DayWriter::Append(std::int64_t episode, int step, const core::Transition& transition) {
  const auto blob = TransitionBlob(transition);
  if (!blob) return tl::make_unexpected(blob.error());
  append_.Reset().Bind(episode).Bind(std::int64_t{step}).BindBlob(*blob);
  return append_.Run();
}

Result<void> DayWriter::Close(const core::Episode& episode, int stored) {
  if (auto synced = database_.Execute("PRAGMA synchronous=FULL"); !synced) return synced;
  auto transaction = Transaction::Begin(database_);
  if (!transaction) return tl::make_unexpected(transaction.error());
  for (; static_cast<std::size_t>(stored) < episode.steps.size(); ++stored) {
    auto appended = Append(episode.id, stored, episode.steps[static_cast<std::size_t>(stored)]);
    if (!appended) return appended;
  }
  auto close = database_.Prepare(
      "UPDATE episode SET policy_version = ?, demonstration = ?, ended_ns = ?, outcome = ?, failure = ?, steps = ? "
      "WHERE id = ?");
  if (!close) return tl::make_unexpected(close.error());
  close->Bind(episode.policy_version).Bind(std::int64_t{episode.demonstration});
  close->Bind(core::ToNanoseconds(episode.ended)).Bind(core::Name(episode.outcome)).Bind(episode.failure);
  close->Bind(std::int64_t{stored}).Bind(episode.id);
  if (auto closed = close->Run(); !closed) return closed;
  return transaction->Commit();
}

Result<void> DayWriter::Finish() { return database_.Execute("PRAGMA wal_checkpoint(TRUNCATE)"); }

}  // namespace nightshift::io
